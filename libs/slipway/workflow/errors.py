"""How a workflow is refused, and how an output is."""

from __future__ import annotations

from slipway.errors import FieldViolation, Kind, SlipwayError


class BadWorkflow(SlipwayError):
    """The graph does not hold together; ``violations`` names the step and the parameter."""

    kind = Kind.FAILED_PRECONDITION
    reason = "BAD_WORKFLOW"

    def __init__(self, workflow: str, place: str, description: str) -> None:
        where = f"workflow {workflow!r}" if workflow else "a workflow"
        super().__init__(
            f"{where}: {place}: {description}",
            facts={"workflow": workflow, "place": place},
            violations=[FieldViolation(place, description)],
        )


class NotStorable(SlipwayError):
    """A value, or a type, that can't be kept; ``path`` says which part of it."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOT_STORABLE"

    def __init__(self, path: str, description: str) -> None:
        super().__init__(f"{path}: {description}", violations=[FieldViolation(path, description)])
        self.path = path
        self.description = description
