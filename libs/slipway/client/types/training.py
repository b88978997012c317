"""Workflows and their runs."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

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
    """One execution of a workflow; ``error`` says why it failed, ``steps`` are left out of lists."""

    id: str
    workflow: str
    state: RunState
    params: Mapping[str, Json] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    create_time: datetime | None = None
    finish_time: datetime | None = None
    error: str = ""
