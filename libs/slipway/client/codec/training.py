"""The scheduler's messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from slipway.client.codec.scalars import UINT32_MAX, Names, moment, text, timestamp, whole
from slipway.client.codec.structs import decode_struct, encode_struct
from slipway.client.types.training import (
    LogLine,
    Parameter,
    Run,
    RunState,
    Step,
    StepSpec,
    StepState,
    Trigger,
    Workflow,
)
from slipway.gen.slipway.training.v1 import resources_pb2 as res

_RUN_STATES = Names(res.RunState, "RUN_STATE_", RunState)
_STEP_STATES = Names(res.StepState, "STEP_STATE_", StepState)


def encode_workflow(workflow: Workflow) -> res.Workflow:
    """Encode a workflow."""
    return res.Workflow(
        name=text("workflow.name", workflow.name),
        description=text("workflow.description", workflow.description),
        parameters=[
            res.Parameter(name=one.name, type=one.type, default_json=one.default_json) for one in workflow.parameters
        ],
        steps=[res.StepSpec(name=one.name, inputs=one.inputs, output_type=one.output_type) for one in workflow.steps],
        code_digest=text("workflow.code_digest", workflow.code_digest),
    )


def decode_workflow(message: res.Workflow) -> Workflow:
    """Decode a workflow."""
    return Workflow(
        name=message.name,
        description=message.description,
        parameters=tuple(Parameter(one.name, one.type, one.default_json) for one in message.parameters),
        steps=tuple(StepSpec(one.name, tuple(one.inputs), one.output_type) for one in message.steps),
        code_digest=message.code_digest,
    )


def encode_step(step: Step) -> res.Step:
    """Encode a step."""
    return res.Step(
        name=text("step.name", step.name),
        state=_STEP_STATES.number("step.state", step.state),
        attempts=whole("step.attempts", step.attempts, UINT32_MAX),
        start_time=timestamp("step.start_time", step.start_time),
        finish_time=timestamp("step.finish_time", step.finish_time),
        error=text("step.error", step.error),
        output_digest=text("step.output_digest", step.output_digest),
        summary=None if step.summary is None else encode_struct("step.summary", step.summary),
    )


def decode_step(message: res.Step) -> Step:
    """Decode a step."""
    return Step(
        name=message.name,
        state=_STEP_STATES.name(message.state),
        attempts=message.attempts,
        start_time=moment(message, "start_time"),
        finish_time=moment(message, "finish_time"),
        error=message.error,
        output_digest=message.output_digest,
        summary=decode_struct(message.summary) if message.HasField("summary") else None,
    )


def encode_run(run: Run) -> res.Run:
    """Encode a run."""
    return res.Run(
        id=text("run.id", run.id),
        workflow=text("run.workflow", run.workflow),
        params=encode_struct("run.params", run.params),
        state=_RUN_STATES.number("run.state", run.state),
        steps=[encode_step(step) for step in run.steps],
        create_time=timestamp("run.create_time", run.create_time),
        finish_time=timestamp("run.finish_time", run.finish_time),
        error=text("run.error", run.error),
        incident_id=text("run.incident_id", run.incident_id),
    )


def decode_run(message: res.Run) -> Run:
    """Decode a run."""
    return Run(
        id=message.id,
        workflow=message.workflow,
        state=_RUN_STATES.name(message.state),
        params=decode_struct(message.params),
        steps=tuple(decode_step(step) for step in message.steps),
        create_time=moment(message, "create_time"),
        finish_time=moment(message, "finish_time"),
        error=message.error,
        incident_id=message.incident_id,
    )


def encode_trigger(trigger: Trigger) -> res.Trigger:
    """Encode a trigger."""
    return res.Trigger(
        name=text("trigger.name", trigger.name),
        endpoint=text("trigger.endpoint", trigger.endpoint),
        workflow=text("trigger.workflow", trigger.workflow),
        params=encode_struct("trigger.params", trigger.params),
        cutoff_param=text("trigger.cutoff_param", trigger.cutoff_param),
        cool_down=_duration(trigger.cool_down),
        last_incident_id=text("trigger.last_incident_id", trigger.last_incident_id),
        last_trigger_time=timestamp("trigger.last_trigger_time", trigger.last_trigger_time),
        last_run_id=text("trigger.last_run_id", trigger.last_run_id),
    )


def decode_trigger(message: res.Trigger) -> Trigger:
    """Decode a trigger."""
    return Trigger(
        name=message.name,
        endpoint=message.endpoint,
        workflow=message.workflow,
        params=decode_struct(message.params),
        cutoff_param=message.cutoff_param,
        cool_down=message.cool_down.ToTimedelta(),
        last_incident_id=message.last_incident_id,
        last_trigger_time=moment(message, "last_trigger_time"),
        last_run_id=message.last_run_id,
    )


def decode_lines(lines: Iterable[res.LogLine]) -> list[LogLine]:
    """Decode lines of a log."""
    return [LogLine(one.step, one.attempt, one.text) for one in lines]


def _duration(length: timedelta) -> Duration:
    message = Duration()
    message.FromTimedelta(length)
    return message
