"""What the gateway's engine needs from outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.inference_gateway.domain.answer import Answer, Draft, Prediction
from services.inference_gateway.domain.columns import Array, Column
from services.inference_gateway.domain.desired import Desired, Step, VersionSpec
from services.inference_gateway.domain.device import Device
from services.inference_gateway.domain.features import Fallback, FeatureColumn
from services.inference_gateway.domain.guardrail import Disabled
from services.inference_gateway.domain.outputs import Outputs
from services.inference_gateway.domain.signature import Tensors
from slipway.events import Consumer, Event


class Worker(Protocol):
    """A process that runs one version."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    @property
    def provider(self) -> str:
        """The execution provider it runs on."""
        ...

    @property
    def died(self) -> asyncio.Event:
        """Set when the process has ended."""
        ...

    @property
    def cause(self) -> str:
        """How the process ended, as in "the last one …": known after :meth:`stop`, empty while it runs."""
        ...

    async def run(self, inputs: Tensors) -> Outputs:
        """The signature's outputs, [rows, …] each, and what the model took.

        Raises WorkerDied when the process ends or hangs, ModelFailed when it refuses or answers something else,
        NoMemory when the batch can't be handed over.
        """
        ...

    @property
    def memory_bytes(self) -> int:
        """Memory that is the process's own; 0 when it has ended."""
        ...

    async def drained(self) -> None:
        """Return when it has no batch, or has ended."""
        ...

    async def stop(self) -> None:
        """End the process, which gives its memory back."""
        ...


class Workers(Protocol):
    """Starts workers."""

    @property
    def devices(self) -> Sequence[Device]:
        """Where they may run, one at least."""
        ...

    async def launch(self, spec: VersionSpec, model: bytes, device: Device) -> Worker:
        """A worker with the model loaded. Raises UnusableModel, or WorkerDied when it does not come up."""
        ...


class Models(Protocol):
    """Where artifacts come from."""

    async def fetch(self, spec: VersionSpec) -> bytes:
        """The version's ONNX file, verified against its digest."""
        ...


class DesiredStates(Protocol):
    """The registry's stream."""

    @property
    def connected(self) -> bool:
        """Whether the stream is up."""
        ...

    def follow(self) -> AsyncIterator[Step]:
        """Every step, for ever; after each reconnection a snapshot first."""
        ...


class Snapshots(Protocol):
    """The last desired state, kept where a restart finds it."""

    async def load(self) -> Desired | None:
        """What was stored last; None when there is nothing usable."""
        ...

    async def store(self, desired: Desired) -> None:
        """Keep it; a crash leaves the old one or the new one. Raises Unavailable when the disk fails."""
        ...


class Features(Protocol):
    """Features online."""

    async def read(
        self, features: Sequence[str], keys: Sequence[Column], event_times_us: Array, left_s: float | None
    ) -> Mapping[str, FeatureColumn]:
        """Every one of ``features`` (``view:feature``), for all rows, within a part of ``left_s`` if there is a limit.

        Of ``keys`` those are used that the features' views are found by. Raises a SlipwayError: Unavailable or a
        deadline while the service is away; anything else when it is there and refuses.
        """
        ...

    def fallbacks(self, features: Sequence[str]) -> Mapping[str, Fallback]:
        """Those of ``features`` that have a fallback, as the service told last; none that it told nothing of."""
        ...


class DisabledArms(Protocol):
    """The arms that this gateway took to zero, kept where a restart finds them."""

    async def load(self) -> Sequence[tuple[Disabled, bool]]:
        """Each arm that was stored, and whether it was announced; nothing when there is nothing usable."""
        ...

    async def store(self, disabled: Sequence[tuple[Disabled, bool]]) -> None:
        """Keep them; a crash leaves the old ones or the new ones. Raises Unavailable when the disk fails."""
        ...


class Announcer(Protocol):
    """Who is told that an arm was taken to zero."""

    async def announce(self, disabled: Disabled) -> None:
        """Tell; again under the same id is harmless. Raises Unavailable, and then nobody may have heard."""
        ...


class Bus(Protocol):
    """The event bus, which may be away."""

    async def publish(self, events: Sequence[Event]) -> None:
        """See :class:`slipway.events.Publisher`."""
        ...

    def consumer(self, topics: Sequence[str], group: str) -> AbstractAsyncContextManager[Consumer]:
        """Join ``group`` as this gateway. Raises a SlipwayError when the bus can't be opened yet."""
        ...


@dataclass(frozen=True, slots=True)
class Remembered:
    """A row that was answered, as the log has it."""

    prediction: Prediction
    digest: bytes


@dataclass(frozen=True, slots=True)
class Backlog:
    """What the log still has to ship."""

    pending_batches: int
    pending_bytes: int
    limit_bytes: int


class PredictionLog(Protocol):
    """The log on disk: written before an answer leaves, shipped behind it."""

    def draft(self, answer: Answer, *, first: bool) -> Draft:
        """What can be written already of an answer that has no outputs yet, for its ``draft``; keeps nothing.

        ``first`` says that it is likely to be appended before any other one.
        """
        ...

    def append(self, answers: Sequence[Answer], now: datetime) -> None:
        """Keep the answers, all or none, through a kill -9.

        Raises PredictionTooLarge for a row that no event can hold, Exhausted when there is no room, Unavailable
        without a disk.
        """
        ...

    def sync(self) -> None:
        """Make what was appended, and how far it was shipped, survive a power cut."""
        ...

    async def sync_aside(self) -> None:
        """As :meth:`sync`, while answers go on being appended: only what was there when it began."""
        ...

    def replay(self) -> Iterator[Remembered]:
        """The rows that are still kept, oldest first; after a long outage of the event bus, the newest of them."""
        ...

    def unshipped(self) -> Iterator[Event]:
        """The batches that were not shipped, as events, oldest first; read as they are taken.

        Small ones go together, and again the same ones if they have to go again.
        """
        ...

    def shipped(self, events: Sequence[Event]) -> None:
        """The event bus has these, of those that were looked at last, and all before them."""
        ...

    def backlog(self) -> Backlog:
        """How much waits."""
        ...
