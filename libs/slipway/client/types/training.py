"""Workflows and their runs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
"""A JSON value. Whole numbers are ints, exact up to 2**53."""


class RunState(enum.StrEnum):
    """Where a run stands."""

    UNSPECIFIED = "unspecified"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing comes after it."""
        return self in {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}


class StepState(enum.StrEnum):
    """Where a step stands."""

    UNSPECIFIED = "unspecified"
    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a workflow: its Python type and its default as JSON, empty when a value must be given."""

    name: str
    type: str
    default_json: str = ""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One step of a workflow, the steps whose outputs it takes, and the type of its own."""

    name: str
    inputs: tuple[str, ...] = ()
    output_type: str = ""


@dataclass(frozen=True, slots=True)
class Workflow:
    """A typed workflow; ``steps`` stand in an order in which they may run."""

    name: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    steps: tuple[StepSpec, ...] = ()
    code_digest: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run; ``attempts`` counts the running one, ``summary`` is absent until it succeeded."""

    name: str
    state: StepState
    attempts: int = 0
    start_time: datetime | None = None
    finish_time: datetime | None = None
    error: str = ""
    output_digest: str = ""
    summary: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a workflow; ``error`` says why it failed, ``steps`` are left out of lists.

    ``incident_id`` is the incident that started it, empty when somebody submitted it.
    """

    id: str
    workflow: str
    state: RunState
    params: Mapping[str, Json] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    create_time: datetime | None = None
    finish_time: datetime | None = None
    error: str = ""
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts ``workflow`` when an incident of ``endpoint`` opens.

    ``cutoff_param`` names the parameter that is set to the incident's trigger time (RFC 3339, UTC), empty when the
    workflow takes none. Within ``cool_down`` of event time after an incident that was answered, no other starts a
    run. The ``last_…`` fields are set by the scheduler.
    """

    name: str
    endpoint: str
    workflow: str
    params: Mapping[str, Json] = field(default_factory=dict)
    cutoff_param: str = ""
    cool_down: timedelta = timedelta()
    last_incident_id: str = ""
    last_trigger_time: datetime | None = None
    last_run_id: str = ""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that an attempt of a step printed or logged, without its end of line; ``attempt`` counts from 1."""

    step: str
    attempt: int
    text: str
