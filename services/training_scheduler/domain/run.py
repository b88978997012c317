"""Runs, their steps and attempts: the values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class RunState(enum.StrEnum):
    """Where a run stands, by its name in the contract."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class StepState(enum.StrEnum):
    """Where a step stands, by its name in the contract."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class AttemptState(enum.StrEnum):
    """What became of one try."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    # Its process died, or lost sight of it.
    LOST = "LOST"
    # Its process was told to stop and gave it back; it does not count.
    RELEASED = "RELEASED"
    # Its run ended before it.
    FENCED = "FENCED"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a step; ``number`` counts from 1 and ``token`` is its right to commit."""

    token: str
    number: int
    state: AttemptState
    start_time: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run."""

    name: str
    state: StepState = StepState.WAITING
    attempts: tuple[Attempt, ...] = ()
    finish_time: datetime | None = None
    output_digest: str = ""
    summary: Mapping[str, Any] | None = None

    @property
    def start_time(self) -> datetime | None:
        """When its latest attempt started."""
        return self.attempts[-1].start_time if self.attempts else None

    @property
    def error(self) -> str:
        """Why its latest attempt failed."""
        return self.attempts[-1].error if self.attempts else ""

    @property
    def spent(self) -> int:
        """Attempts that count against the maximum."""
        return sum(one.state in {AttemptState.FAILED, AttemptState.LOST} for one in self.attempts)


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a workflow; ``position`` and ``revision`` are given by the store."""

    id: str
    workflow: str
    code_digest: str
    params: Mapping[str, Any]
    state: RunState
    steps: tuple[Step, ...]
    create_time: datetime
    finish_time: datetime | None = None
    error: str = ""
    # The incident that started it; empty when somebody submitted it.
    incident_id: str = ""
    position: int = field(default=0, compare=False)
    revision: int = field(default=0, compare=False)

    @property
    def final(self) -> bool:
        """Whether nothing comes after this state."""
        return self.state not in {RunState.QUEUED, RunState.RUNNING}

    def step(self, name: str) -> Step:
        """One step. Raises KeyError."""
        return {one.name: one for one in self.steps}[name]
