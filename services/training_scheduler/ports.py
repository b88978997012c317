"""What the scheduler's engine needs from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.training_scheduler.domain.run import Run
from services.training_scheduler.domain.trigger import Trigger
from services.training_scheduler.domain.workflow import WorkflowSpec
from slipway.paging import Page


class Reader(Protocol):
    """One consistent view of the runs."""

    async def run(self, run_id: str) -> Run | None:
        """The run with its steps."""
        ...

    async def runs(self, workflow: str, page: Page) -> Sequence[Run]:
        """Up to ``page.fetch`` runs without their steps, newest first; of one workflow unless it is empty."""
        ...

    async def submission(self, request_id: str) -> tuple[Run, str] | None:
        """The run accepted under a request id, and the fingerprint of its body."""
        ...

    async def open_runs(self, limit: int) -> Sequence[str]:
        """Ids of runs that have not ended: the running ones first, then the queue; each in order of arrival."""
        ...

    async def trigger(self, name: str) -> Trigger | None:
        """One trigger by name."""
        ...

    async def triggers(self, endpoint: str = "") -> Sequence[Trigger]:
        """Triggers by name; of one endpoint unless it is empty."""
        ...


class Writer(Reader, Protocol):
    """The one writing transaction: all of it commits, with its announcements, or none."""

    async def add(self, run: Run, request_id: str, fingerprint: str) -> None:
        """Store a new run at the end of the queue."""
        ...

    async def save(self, run: Run) -> None:
        """Replace a stored run, at its next revision."""
        ...

    async def announce(self, run: Run, now: datetime) -> None:
        """Publish that the run reached its state, once this transaction has committed."""
        ...

    async def put_trigger(self, trigger: Trigger) -> None:
        """Store a trigger, or replace the one of its name."""
        ...

    async def delete_trigger(self, name: str) -> bool:
        """Remove a trigger; whether there was one."""
        ...

    async def claim(self, event_id: str, now: datetime) -> bool:
        """Whether the id was not claimed before; from the commit on it is."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop the ids claimed before then; how many."""
        ...


class Runs(Protocol):
    """Everything the scheduler remembers."""

    def read(self) -> AbstractAsyncContextManager[Reader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[Writer]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...


class Logs(Protocol):
    """What attempts printed and logged."""

    async def read(self, run_id: str, step: str, attempt: int, offset: int, *, last: bool) -> tuple[Sequence[str], int]:
        """Some whole lines from ``offset`` on, and where they end; none when there are none yet.

        With ``last`` what has no end of line counts as a line. A line of over 64 KiB comes in pieces. Raises
        Unavailable.
        """
        ...


class Workflows(Protocol):
    """The workflows that may be run."""

    def all(self) -> Sequence[WorkflowSpec]:
        """Every one, by name."""
        ...

    def get(self, name: str) -> WorkflowSpec | None:
        """One by name."""
        ...

    def complete(self, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """The params with their defaults. Raises InvalidInput about ``params.<name>``."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt, ready to be run; ``inputs`` are digests of stored outputs by step name."""

    run_id: str
    workflow: str
    step: str
    attempt: int
    params: Mapping[str, Any]
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Output:
    """What an attempt made: the digest of its output, which is stored, and figures for people."""

    digest: str
    summary: Mapping[str, Any]


class Steps(Protocol):
    """Where steps run."""

    async def run(self, job: Job) -> Output:
        """Run one attempt, or go on with the one that is :meth:`alive`, and store its output.

        Raises StepFailed, and a SlipwayError about the store. When cancelled, the attempt is left: told to end, or
        alive for whoever comes next.
        """
        ...

    async def alive(self, run_id: str, step: str, attempt: int) -> bool:
        """Whether an attempt that another process had run goes on, or has ended and keeps its result."""
        ...

    def drop(self, run_id: str, step: str, attempt: int) -> None:
        """What came of the attempt is committed, or will never be: it need not be kept."""
        ...

    def cancel(self, run_id: str) -> None:
        """Tell a run's attempts, now and to come, that nobody waits for them."""
        ...

    def forget(self, run_id: str) -> None:
        """The run is not worked on any more."""
        ...
