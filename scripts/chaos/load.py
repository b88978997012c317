"""What a load is, and the crowd that makes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from scripts.chaos.findings import Finding
from scripts.chaos.history import History, Mark, Operation
from scripts.chaos.platform import Platform
from slipway.client import AsyncSlipway
from slipway.events import Publisher


@dataclass(frozen=True, slots=True)
class Needs:
    """What a load needs of its platform, and where faults may strike.

    ``services``: those that run; ``backing``: of "redis" and "ray"; ``configs``: service to its TOML;
    ``victims``: the processes that are killed or stopped, the load's own service first; ``topics``: those that the
    load's service reads, to the group that reads them; ``fed``: those of them that the load's doings come by;
    ``links``: of a victim, the variables with the addresses of what it calls (tables and topics go without saying);
    ``tables``: whether the service has any; ``alone``: whether a second process of it on the same data refuses to
    start; ``aside``: kinds of operations that don't ask the service (what is published for it to read), which count
    neither for the load's rate nor for answering again.
    """

    services: tuple[str, ...]
    victims: tuple[str, ...]
    backing: frozenset[str] = frozenset()
    configs: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)
    fed: frozenset[str] = frozenset()
    links: frozenset[tuple[str, str]] = frozenset()
    tables: bool = True
    alone: bool = False
    aside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a load plays; ``seconds``: how long its rounds may take in all, None when that was not said."""

    platform: Platform
    slipway: AsyncSlipway
    publisher: Publisher
    history: History
    seconds: float | None = None


class Client(Protocol):
    """One caller of several."""

    async def step(self) -> None:
        """A few calls, noted in the history; returns soon when nothing answers."""
        ...


class Load(Protocol):
    """A stream of calls on one service whose effects can be checked; see the package's docstring."""

    @property
    def service(self) -> str:
        """The service that it is about, as the report names it."""
        ...

    @property
    def needs(self) -> Needs:
        """See :class:`Needs`."""
        ...

    async def prepare(self, scene: Scene) -> None:
        """Make what the clients need. Repeatable."""
        ...

    def clients(self, scene: Scene) -> Sequence[Client]:
        """The callers, for one session."""
        ...

    async def observe(self, scene: Scene) -> Any:
        """The final state, once everything that is under way has arrived."""
        ...

    def check(self, operations: Sequence[Operation], marks: Sequence[Mark], observed: Any) -> list[Finding]:
        """Which promises were broken. Pure."""
        ...


class Crowd:
    """All clients of a load, each calling without a pause."""

    def __init__(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        self._tasks = tasks

    @classmethod
    @asynccontextmanager
    async def calling(cls, clients: Sequence[Client]) -> AsyncIterator[Crowd]:
        """The crowd while it calls; at the end every client finishes its step."""
        stop = asyncio.Event()
        tasks = [asyncio.create_task(_call(one, stop)) for one in clients]
        try:
            yield cls(tasks)
            stop.set()
            await asyncio.gather(*tasks)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def raise_failure(self) -> None:
        """Raise what broke a client, if anything did: a refusal that it did not expect."""
        for one in self._tasks:
            if one.done():
                one.result()


async def _call(client: Client, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await client.step()
        await asyncio.sleep(0)
