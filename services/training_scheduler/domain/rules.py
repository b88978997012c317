"""What a submission must be like, and which steps may run."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from services.training_scheduler.domain.run import Attempt, AttemptState, Run, RunState, StepState
from services.training_scheduler.domain.workflow import WorkflowSpec
from slipway.errors import invalid_field

MAX_ERROR = 2_000
_RUN_ID = re.compile(r"run-[0-9a-f]{16}", re.ASCII)


def check_run_id(run_id: str) -> str:
    """Raise InvalidInput unless a scheduler could have given this id."""
    if not _RUN_ID.fullmatch(run_id):
        shown = f"{run_id[:40]!r} is none" if run_id else "is empty"
        raise invalid_field("run_id", f"{shown}; give an id as SubmitRun answered it, run- and 16 hexadecimal digits")
    return run_id


def fingerprint(workflow: str, params: Mapping[str, Any]) -> str:
    """What tells a retried submission from another one under the same request id."""
    return hashlib.sha256(json.dumps([workflow, params], sort_keys=True).encode()).hexdigest()


def shorten(error: str) -> str:
    """An error as it is kept: at most 2,000 characters, whole lines of text and no control characters."""
    clean = "".join(one if one.isprintable() or one == "\n" else " " for one in error).strip()
    return clean if len(clean) <= MAX_ERROR else f"{clean[: MAX_ERROR - 1]}…"


def ready(run: Run, spec: WorkflowSpec) -> tuple[str, ...]:
    """Steps of a running run whose inputs are all there and which do not run yet."""
    if run.state is not RunState.RUNNING:
        return ()
    done = {one.name for one in run.steps if one.state is StepState.SUCCEEDED}
    waiting = {one.name for one in run.steps if one.state is StepState.WAITING}
    return tuple(one.name for one in spec.steps if one.name in waiting and done.issuperset(one.inputs))


def unfinished(run: Run) -> tuple[tuple[str, Attempt], ...]:
    """The attempts that may still go on somewhere, by step: the latest ones that came to no end of their own."""
    if run.final:
        return ()
    open_states = {AttemptState.RUNNING, AttemptState.RELEASED}
    return tuple(
        (one.name, one.attempts[-1]) for one in run.steps if one.attempts and one.attempts[-1].state in open_states
    )


def outdated(run: Run, spec: WorkflowSpec | None) -> str:
    """Why a run that began can't go on with the code there is now; empty when it can."""
    if spec is None:
        return f"workflow {run.workflow!r} is no longer configured; configure its module and submit it again"
    if run.code_digest != spec.code_digest:
        return (
            f"the code of workflow {run.workflow!r} changed while the run was under way "
            f"({run.code_digest[:15]} to {spec.code_digest[:15]}); submit it again"
        )
    return ""
