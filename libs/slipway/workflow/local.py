"""Running a workflow in this process, without a scheduler."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slipway.workflow.context import StepContext
from slipway.workflow.define import Workflow
from slipway.workflow.summary import summary_of

if TYPE_CHECKING:
    from slipway.client import Slipway


@dataclass(frozen=True)
class LocalRun:
    """What came of it, by step name: outputs as the next step got them, and summaries."""

    run_id: str
    outputs: Mapping[str, Any]
    summaries: Mapping[str, Mapping[str, Any]]


def run_locally(
    workflow: Workflow,
    params: object | Mapping[str, Any] | None = None,
    *,
    slipway: Slipway | None = None,
    run_id: str | None = None,
    progress: Callable[[str, Mapping[str, Any]], None] | None = None,
) -> LocalRun:
    """Run every step once, in order; ``params`` are the dataclass, or a mapping as a scheduler would be given.

    Each output passes through the codec, so that what runs here runs there. ``slipway`` is what steps find in their
    context; without one they find a client of the platform on this machine. ``progress`` is told each step's name
    and summary. Raises InvalidInput about the params, NotStorable about an output, and what a step raises.
    """
    given = params if params is not None else {}
    as_json = given if isinstance(given, Mapping) else workflow.params.write(given)
    values = workflow.params.read(as_json)
    run = run_id or f"local-{uuid.uuid4().hex[:16]}"
    clients: list[Slipway] = []

    def connect() -> Slipway:
        if slipway is not None:
            return slipway
        if not clients:
            from slipway.client import Slipway  # noqa: PLC0415  (gRPC, only for steps that ask)

            clients.append(Slipway())
        return clients[0]

    context = StepContext(
        workflow=workflow.name, run_id=run, step="", attempt=1, code_digest=workflow.code_digest, connect=connect
    )
    try:
        return _run(workflow, values, context, progress)
    finally:
        for client in clients:
            client.close()


def _run(
    workflow: Workflow,
    params: object,
    context: StepContext,
    progress: Callable[[str, Mapping[str, Any]], None] | None,
) -> LocalRun:
    outputs: dict[str, object] = {}
    summaries: dict[str, Mapping[str, Any]] = {}
    for step in workflow.steps:
        output = step.run(outputs, params, context.of_step(step.name))
        outputs[step.name] = step.decode(step.encode(output))
        summaries[step.name] = summary_of(output)
        if progress is not None:
            progress(step.name, summaries[step.name])
    return LocalRun(context.run_id, outputs, summaries)
