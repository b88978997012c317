"""What the scheduler refuses, and why."""

from __future__ import annotations

from slipway.errors import AlreadyExists, Kind, NotFound, SlipwayError


class WorkflowNotFound(NotFound):
    """No configured module has a workflow of that name."""

    reason = "WORKFLOW_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"workflow: there is no workflow {name!r}; see ListWorkflows, or add its module to workflow_modules",
            facts={"workflow": name},
        )


class RunNotFound(NotFound):
    """No run has that id."""

    reason = "RUN_NOT_FOUND"

    def __init__(self, run_id: str) -> None:
        super().__init__(f"run_id: there is no run {run_id!r}; see ListRuns", facts={"run_id": run_id})


class StepNotFound(NotFound):
    """The run has no step of that name."""

    reason = "STEP_NOT_FOUND"

    def __init__(self, run_id: str, step: str) -> None:
        super().__init__(
            f"step: {run_id} has no step {step[:128]!r}; see GetRun", facts={"run_id": run_id, "step": step[:128]}
        )


class TriggerNotFound(NotFound):
    """No trigger has that name."""

    reason = "TRIGGER_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"name: there is no trigger {name!r}; see ListTriggers", facts={"trigger": name})


class RequestReused(AlreadyExists):
    """The idempotency key was used with another body."""

    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request_id {request_id!r} was used for another run; repeat that body or take a new id",
            facts={"request_id": request_id},
        )


class Fenced(SlipwayError):
    """The attempt is not the step's any more: its run ended, or another attempt took over."""

    kind = Kind.ABORTED
    reason = "FENCED"

    def __init__(self, run_id: str, what: str) -> None:
        super().__init__(f"{what} of run {run_id} counts no more", facts={"run_id": run_id})


class StepFailed(Exception):
    """A step's function raised; ``text`` says what, in a line."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
