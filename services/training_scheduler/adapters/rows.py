"""Between the scheduler's values and rows of its tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from services.training_scheduler.domain.run import Attempt, AttemptState, Run, RunState, Step, StepState
from services.training_scheduler.domain.trigger import Trigger

AnyRow = Row[Any]
_MICROSECOND = timedelta(microseconds=1)


def run_columns(run: Run) -> dict[str, Any]:
    """The columns of a run, but for its position and revision."""
    return {
        "id": run.id,
        "workflow": run.workflow,
        "code_digest": run.code_digest,
        "params": dict(run.params),
        "state": run.state.value,
        "create_time": run.create_time,
        "finish_time": run.finish_time,
        "error": run.error,
        "incident_id": run.incident_id,
    }


def step_rows(run: Run) -> list[dict[str, Any]]:
    """The rows of a run's steps."""
    return [
        {
            "run_id": run.id,
            "name": step.name,
            "position": position,
            "state": step.state.value,
            "finish_time": step.finish_time,
            "output_digest": step.output_digest,
            "summary": None if step.summary is None else dict(step.summary),
        }
        for position, step in enumerate(run.steps)
    ]


def attempt_rows(run: Run) -> list[dict[str, Any]]:
    """The rows of all attempts of a run."""
    return [
        {
            "token": attempt.token,
            "run_id": run.id,
            "step": step.name,
            "number": attempt.number,
            "state": attempt.state.value,
            "start_time": attempt.start_time,
            "error": attempt.error,
        }
        for step in run.steps
        for attempt in step.attempts
    ]


def run_of(row: AnyRow, steps: Sequence[AnyRow] = (), attempts: Sequence[AnyRow] = ()) -> Run:
    """A run; steps by position, attempts by number."""
    return Run(
        id=row.id,
        workflow=row.workflow,
        code_digest=row.code_digest,
        params=row.params,
        state=RunState(row.state),
        steps=tuple(_step(step, [one for one in attempts if one.step == step.name]) for step in steps),
        create_time=row.create_time,
        finish_time=row.finish_time,
        error=row.error,
        incident_id=row.incident_id,
        position=row.position,
        revision=row.revision,
    )


def trigger_columns(trigger: Trigger) -> dict[str, Any]:
    """The columns of a trigger."""
    return {
        "name": trigger.name,
        "endpoint": trigger.endpoint,
        "workflow": trigger.workflow,
        "params": dict(trigger.params),
        "cutoff_param": trigger.cutoff_param,
        "cool_down_us": trigger.cool_down // _MICROSECOND,
        "last_incident_id": trigger.last_incident_id,
        "last_trigger_time": trigger.last_trigger_time,
        "last_run_id": trigger.last_run_id,
    }


def trigger_of(row: AnyRow) -> Trigger:
    """A trigger."""
    return Trigger(
        name=row.name,
        endpoint=row.endpoint,
        workflow=row.workflow,
        params=row.params,
        cutoff_param=row.cutoff_param,
        cool_down=row.cool_down_us * _MICROSECOND,
        last_incident_id=row.last_incident_id,
        last_trigger_time=row.last_trigger_time,
        last_run_id=row.last_run_id,
    )


def _step(row: AnyRow, attempts: Sequence[AnyRow]) -> Step:
    return Step(
        name=row.name,
        state=StepState(row.state),
        attempts=tuple(
            Attempt(one.token, one.number, AttemptState(one.state), one.start_time, one.error) for one in attempts
        ),
        finish_time=row.finish_time,
        output_digest=row.output_digest,
        summary=row.summary,
    )
