"""Runs in memory, for tests of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.training_scheduler.domain.run import Run, RunState
from services.training_scheduler.domain.trigger import Trigger
from slipway.paging import Page


@dataclass
class _State:
    runs: dict[str, Run] = field(default_factory=dict)
    requests: dict[str, tuple[str, str]] = field(default_factory=dict)
    announced: list[Run] = field(default_factory=list)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    claimed: dict[str, datetime] = field(default_factory=dict)

    def copy(self) -> _State:
        return _State(
            dict(self.runs), dict(self.requests), list(self.announced), dict(self.triggers), dict(self.claimed)
        )


class MemoryWriter:
    """A snapshot, and the writing transaction on a copy."""

    def __init__(self, state: _State) -> None:
        self._state = state

    async def run(self, run_id: str) -> Run | None:
        """See Reader."""
        return self._state.runs.get(run_id)

    async def runs(self, workflow: str, page: Page) -> Sequence[Run]:
        """See Reader."""
        newest = sorted(self._state.runs.values(), key=lambda run: -run.position)
        after = page.after[0] if page.after else None
        found = [
            replace(run, steps=())
            for run in newest
            if workflow in {"", run.workflow} and (not isinstance(after, int) or run.position < after)
        ]
        return found[: page.fetch]

    async def submission(self, request_id: str) -> tuple[Run, str] | None:
        """See Reader."""
        found = self._state.requests.get(request_id)
        return (self._state.runs[found[0]], found[1]) if found else None

    async def open_runs(self, limit: int) -> Sequence[str]:
        """See Reader."""
        alive = [run for run in self._state.runs.values() if not run.final]
        alive.sort(key=lambda run: (run.state is not RunState.RUNNING, run.position))
        return [run.id for run in alive[:limit]]

    async def add(self, run: Run, request_id: str, fingerprint: str) -> None:
        """See Writer."""
        self._state.runs[run.id] = replace(run, position=len(self._state.runs) + 1, revision=1)
        self._state.requests[request_id] = (run.id, fingerprint)

    async def save(self, run: Run) -> None:
        """See Writer."""
        stored = self._state.runs[run.id]
        self._state.runs[run.id] = replace(run, position=stored.position, revision=stored.revision + 1)

    async def announce(self, run: Run, now: datetime) -> None:
        """See Writer."""
        self._state.announced.append(run)

    async def trigger(self, name: str) -> Trigger | None:
        """See Reader."""
        return self._state.triggers.get(name)

    async def triggers(self, endpoint: str = "") -> Sequence[Trigger]:
        """See Reader."""
        return [one for _, one in sorted(self._state.triggers.items()) if endpoint in {"", one.endpoint}]

    async def put_trigger(self, trigger: Trigger) -> None:
        """See Writer."""
        self._state.triggers[trigger.name] = trigger

    async def delete_trigger(self, name: str) -> bool:
        """See Writer."""
        return self._state.triggers.pop(name, None) is not None

    async def claim(self, event_id: str, now: datetime) -> bool:
        """See Writer."""
        fresh = event_id not in self._state.claimed
        self._state.claimed.setdefault(event_id, now)
        return fresh

    async def forget(self, before: datetime) -> int:
        """See Writer."""
        old = [one for one, seen in self._state.claimed.items() if seen < before]
        for one in old:
            del self._state.claimed[one]
        return len(old)


class MemoryRuns:
    """The runs of one process; ``announced`` are the events that committed."""

    def __init__(self) -> None:
        self._state = _State()
        self._turn = asyncio.Lock()

    @property
    def announced(self) -> Sequence[Run]:
        """Runs as they were announced, in order."""
        return tuple(self._state.announced)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[MemoryWriter]:
        """See Runs."""
        yield MemoryWriter(self._state.copy())

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryWriter]:
        """See Runs."""
        async with self._turn:
            state = self._state.copy()
            yield MemoryWriter(state)
            self._state = state
