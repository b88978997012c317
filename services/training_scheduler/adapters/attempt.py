"""Calling a step's function: stored inputs in, stored output out, whatever process or thread this is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from services.training_scheduler.domain.errors import StepFailed
from slipway.workflow import Connect, RunCancelled, StepContext, Workflow, summary_of

_log = logging.getLogger(__name__)


def perform(
    workflow: Workflow,
    *,
    run_id: str,
    step: str,
    attempt: int,
    params: Mapping[str, Any],
    inputs: Mapping[str, bytes],
    connect: Connect,
    cancel: threading.Event | None = None,
) -> tuple[bytes, Mapping[str, Any]]:
    """The step's output as bytes, and its summary. Raises StepFailed, whatever the function raises."""

    def compute() -> tuple[bytes, Mapping[str, Any]]:
        bound = workflow.step(step)
        context = StepContext(
            workflow=workflow.name,
            run_id=run_id,
            step=step,
            attempt=attempt,
            code_digest=workflow.code_digest,
            connect=connect,
            cancel=cancel,
        )
        decoded = {name: workflow.step(name).decode(data) for name, data in inputs.items()}
        output = bound.run(decoded, workflow.params.read(params), context)
        return bound.encode(output), summary_of(output)

    return failing_as_step(compute, {"run_id": run_id, "step": step, "attempt": attempt})


def failing_as_step(
    compute: Callable[[], tuple[bytes, Mapping[str, Any]]], facts: Mapping[str, Any]
) -> tuple[bytes, Mapping[str, Any]]:
    """What ``compute`` gives. Raises StepFailed with what it raised in a line."""
    try:
        return compute()
    except RunCancelled as ended:
        _log.info("a step ended early", extra=dict(facts))
        raise StepFailed(ended.message) from ended
    except BaseException as error:
        # SystemExit included: it would end the thread without an answer.
        _log.exception("a step failed", extra=dict(facts))
        raise StepFailed(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
