"""What starts a run when an incident opens, and when it does not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.training_scheduler.domain.run import Run
from services.training_scheduler.domain.workflow import WorkflowSpec
from slipway.errors import invalid_field
from slipway.naming import resource_name

_TEXT = {"str", "str | None"}
_MOST_KEY = 128


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident that opened, as the monitor told of it; ``trigger_time`` is event time."""

    id: str
    endpoint: str
    trigger_time: datetime


@dataclass(frozen=True, slots=True)
class Trigger:
    """Starts ``workflow`` when an incident of ``endpoint`` opens; the ``last_…`` fields tell of the one it answered."""

    name: str
    endpoint: str
    workflow: str
    params: Mapping[str, Any]
    cutoff_param: str = ""
    cool_down: timedelta = timedelta()
    last_incident_id: str = ""
    last_trigger_time: datetime | None = None
    last_run_id: str = ""

    def params_at(self, moment: datetime) -> dict[str, Any]:
        """The params of a run that an incident of that event time starts."""
        cutoff = {self.cutoff_param: rfc3339(moment)} if self.cutoff_param else {}
        return {**self.params, **cutoff}

    def key_for(self, incident_id: str) -> str:
        """The request id of the one run that the incident may start."""
        key = f"{self.name}.{incident_id}"
        return key if len(key) <= _MOST_KEY else f"incident.{hashlib.sha256(key.encode()).hexdigest()}"


def rfc3339(moment: datetime) -> str:
    """The moment as text, in UTC, such as ``2013-06-01T00:00:00Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_trigger(trigger: Trigger, spec: WorkflowSpec | None) -> None:
    """Raise InvalidInput naming the field of ``trigger`` that breaks a rule. ``spec`` is its workflow, where known."""
    resource_name("trigger.name", trigger.name)
    resource_name("trigger.endpoint", trigger.endpoint)
    resource_name("trigger.workflow", trigger.workflow)
    if trigger.cool_down < timedelta():
        raise invalid_field("trigger.cool_down", "is negative; give how long to wait, or leave it out")
    if spec is None or not trigger.cutoff_param:
        return
    types = {one.name: one.type for one in spec.parameters}
    if trigger.cutoff_param not in types:
        known = ", ".join(types) or "none"
        raise invalid_field(
            "trigger.cutoff_param", f"{trigger.cutoff_param!r} is no parameter of {spec.name}; it has: {known}"
        )
    if types[trigger.cutoff_param] not in _TEXT:
        raise invalid_field(
            "trigger.cutoff_param",
            f"{trigger.cutoff_param!r} is {types[trigger.cutoff_param]}; name one of type str, which takes a time",
        )
    if trigger.cutoff_param in trigger.params:
        raise invalid_field(
            f"trigger.params.{trigger.cutoff_param}", "is set by the incident; leave it out, or empty cutoff_param"
        )


def passed_over(trigger: Trigger, incident: Incident, last: Run | None) -> str:
    """Why the incident starts no run; empty when it does. ``last`` is the run that the trigger last started."""
    if last is not None and not last.final:
        return f"{last.id}, which incident {last.incident_id} started, has not ended"
    before = trigger.last_trigger_time
    # The difference, for adding to a time may leave the calendar.
    if before is not None and incident.trigger_time - before < trigger.cool_down:
        return (
            f"it came within {trigger.cool_down} of event time after incident {trigger.last_incident_id} "
            f"({rfc3339(before)})"
        )
    return ""
