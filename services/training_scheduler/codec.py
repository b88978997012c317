"""Between the contract's messages and the scheduler's values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from services.training_scheduler.domain.log import LogLine
from services.training_scheduler.domain.run import Run, Step
from services.training_scheduler.domain.trigger import Incident, Trigger
from services.training_scheduler.domain.workflow import WorkflowSpec
from slipway.errors import invalid_field
from slipway.events import Event
from slipway.gen.slipway.monitor.v1 import events_pb2 as monitor_events_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2 as monitor_resources_pb2
from slipway.gen.slipway.training.v1 import events_pb2, resources_pb2
from slipway.naming import request_id, resource_name

TOPIC = "training.run.v1"
# A double holds whole numbers exactly up to here.
_EXACT = 2**53
# A Duration's own bound, 10,000 years.
_MOST_SECONDS = 315_576_000_000


def encode_workflow(spec: WorkflowSpec) -> resources_pb2.Workflow:
    """A workflow as the contract has it."""
    return resources_pb2.Workflow(
        name=spec.name,
        description=spec.description,
        parameters=[
            resources_pb2.Parameter(name=one.name, type=one.type, default_json=one.default_json)
            for one in spec.parameters
        ],
        steps=[
            resources_pb2.StepSpec(name=one.name, inputs=one.inputs, output_type=one.output_type) for one in spec.steps
        ],
        code_digest=spec.code_digest,
    )


def encode_run(run: Run) -> resources_pb2.Run:
    """A run as the contract has it, with the steps it was read with."""
    return resources_pb2.Run(
        id=run.id,
        workflow=run.workflow,
        params=_struct(run.params),
        state=f"RUN_STATE_{run.state}",
        steps=[_encode_step(step) for step in run.steps],
        create_time=_time(run.create_time),
        finish_time=_time(run.finish_time),
        error=run.error,
        incident_id=run.incident_id,
    )


def _encode_step(step: Step) -> resources_pb2.Step:
    return resources_pb2.Step(
        name=step.name,
        state=f"STEP_STATE_{step.state}",
        attempts=len(step.attempts),
        start_time=_time(step.start_time),
        finish_time=_time(step.finish_time),
        error=step.error,
        output_digest=step.output_digest,
        summary=None if step.summary is None else _struct(step.summary),
    )


def decode_params(message: Struct, field: str = "params") -> dict[str, Any]:
    """The params as JSON values, whole numbers as ints. Raises InvalidInput about a number that is not finite."""
    return {name: _decode(f"{field}.{name}", value) for name, value in message.fields.items()}


def decode_trigger(message: resources_pb2.Trigger) -> Trigger:
    """A trigger as a caller gives it. Raises InvalidInput about ``trigger.<field>``."""
    length = message.cool_down
    if not (abs(length.seconds) <= _MOST_SECONDS and abs(length.nanos) < 10**9 and length.seconds * length.nanos >= 0):
        raise invalid_field("trigger.cool_down", "is no google.protobuf.Duration; give seconds and nanos of one sign")
    return Trigger(
        name=message.name,
        endpoint=message.endpoint,
        workflow=message.workflow,
        params=decode_params(message.params, "trigger.params"),
        cutoff_param=message.cutoff_param,
        cool_down=length.ToTimedelta(),
    )


def encode_trigger(trigger: Trigger) -> resources_pb2.Trigger:
    """A trigger as the contract has it."""
    message = resources_pb2.Trigger(
        name=trigger.name,
        endpoint=trigger.endpoint,
        workflow=trigger.workflow,
        params=_struct(trigger.params),
        cutoff_param=trigger.cutoff_param,
        last_incident_id=trigger.last_incident_id,
        last_trigger_time=_time(trigger.last_trigger_time),
        last_run_id=trigger.last_run_id,
    )
    message.cool_down.FromTimedelta(trigger.cool_down)
    return message


def encode_line(line: LogLine) -> resources_pb2.LogLine:
    """A line of a log as the contract has it."""
    return resources_pb2.LogLine(step=line.step, attempt=line.attempt, text=line.text)


def decode_incident(event: Event) -> Incident | None:
    """The incident that an event says opened; None when it says something else of one.

    Raises InvalidInput saying why the event holds no incident.
    """
    try:
        message = monitor_events_pb2.IncidentChanged.FromString(event.value)
    except DecodeError:
        raise invalid_field("value", f"{len(event.value)} bytes are not a slipway.monitor.v1.IncidentChanged") from None
    if not message.HasField("incident"):
        raise invalid_field("incident", "is missing; an event tells of one")
    incident = message.incident
    request_id("incident.id", incident.id)
    resource_name("incident.endpoint", incident.endpoint)
    if incident.state != monitor_resources_pb2.INCIDENT_STATE_OPEN:
        return None
    if not incident.HasField("trigger_time"):
        raise invalid_field("incident.trigger_time", "is missing; it is the event time at which the harm was known")
    try:
        moment = incident.trigger_time.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise invalid_field("incident.trigger_time", "is no moment between the years 1 and 9999") from error
    return Incident(incident.id, incident.endpoint, moment)


def encode_change(run: Run) -> tuple[str, str, str, bytes]:
    """The topic, key, type and value of the event that a run reached its state."""
    value = events_pb2.RunChanged(run=encode_run(run)).SerializeToString()
    return TOPIC, run.id, "slipway.training.run.changed", value


def _decode(path: str, value: Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return {name: _decode(f"{path}.{name}", one) for name, one in value.struct_value.fields.items()}
    if kind == "list_value":
        return [_decode(f"{path}[{position}]", one) for position, one in enumerate(value.list_value.values)]
    if kind == "number_value":
        return _number(path, value.number_value)
    return None if kind in {None, "null_value"} else getattr(value, kind)


def _number(path: str, number: float) -> float:
    if not math.isfinite(number):
        raise invalid_field(path, f"is {number}; give a finite number")
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def _struct(values: Mapping[str, Any]) -> Struct:
    message = Struct()
    message.update(dict(values))
    return message


def _time(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
