"""One loaded version: its workers, kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from services.inference_gateway.domain.desired import VersionKey, VersionSpec
from services.inference_gateway.domain.outputs import Outputs
from services.inference_gateway.domain.quarantine import Deaths, Patience
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.domain.worker_errors import Quarantined, WorkerDied
from services.inference_gateway.engine.berth import Berth
from services.inference_gateway.engine.launch import Launch
from services.inference_gateway.ports import Worker
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)

DEPTH = 2
"""Batches that a worker has at once: one runs while the next one lies ready."""


@dataclass(frozen=True, slots=True)
class Pool:
    """How a version is run: workers a device, and the deaths that are borne."""

    per_device: int
    patience: Patience


class Runner:
    """Runs batches on a version's workers; starts another for one that dies, and retries what it died on once.

    Whoever hands out the batches bounds how many there are. A version that kills more workers than is borne is in
    quarantine, of which ``on_quarantine`` is told: nothing runs until :meth:`release`.
    """

    def __init__(
        self,
        spec: VersionSpec,
        launch: Launch,
        clock: Clock,
        pool: Pool,
        on_quarantine: Callable[[VersionKey, str], None],
    ) -> None:
        self.spec = spec
        self.quarantined = ""
        """Why nothing runs until :meth:`release`; empty while it does."""
        self._clock = clock
        self._pool = pool
        self._recorded = launch.recorded
        self._on_quarantine = on_quarantine
        self._deaths = Deaths(pool.patience)
        self.berths = [
            Berth(str(spec.key), partial(launch.worker, spec, device), clock, self._look, self._count_death)
            for device in launch.places(pool.per_device)
        ]
        self.used_at = clock.monotonic()
        """When it answered last."""
        self.waiting = 0
        """Chunks that whoever hands out batches has not settled: a drain waits for them."""
        self._pending = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._up = asyncio.Event()
        """Set while a batch that waits for a worker has an answer: a worker is there, or none will be."""
        self._second_tries = asyncio.Lock()
        self._turning: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether it runs nothing any more."""
        return self._stopped

    @property
    def workers(self) -> Sequence[Worker]:
        """The workers that answer now."""
        return [berth.worker for berth in self.berths if berth.worker is not None]

    @property
    def worker(self) -> Worker | None:
        """One that answers now; None while there is none."""
        return next(iter(self.workers), None)

    @property
    def up_now(self) -> int:
        """How many workers answer now."""
        return len([1 for berth in self.berths if berth.worker is not None])

    @property
    def capacity(self) -> int:
        """How many batches may usefully be in flight now."""
        return DEPTH * self.up_now

    @property
    def memory_bytes(self) -> int:
        """What its workers have together."""
        return sum(worker.memory_bytes for worker in self.workers)

    async def start(self) -> None:
        """Load, answer a warm-up row, and keep workers up from then on. Raises UnusableModel, WorkerDied, Quarantined.

        Returns when each worker is up or has failed once; with the first one the start fails.
        """
        first, *others = self.berths
        try:
            await first.fill()
            for one in await asyncio.gather(*(berth.fill() for berth in others), return_exceptions=True):
                if isinstance(one, SlipwayError):
                    log.warning("a worker did not come up", extra={"version": str(self.spec.key), "why": one.message})
                elif one is not None:
                    raise one
            self._check_quarantine()
        except BaseException as error:
            await self._empty()
            if isinstance(error, WorkerDied):
                self._check_quarantine()
            raise
        for berth in self.berths:
            berth.keep()

    async def run(self, inputs: Tensors, rows: int, deadline: float | None = None, *, again: bool = True) -> Outputs:
        """The outputs, [rows, …] each; ``deadline`` (monotonic) bounds the wait for a worker and the second try.

        There is a second try only if ``again``.

        Raises ModelFailed, Quarantined, and WorkerDied after the second death or past the deadline.
        """
        self._pending += 1
        try:
            return await self._once(inputs, rows, deadline)
        except WorkerDied:
            if not again or self._stopped or (deadline is not None and self._clock.monotonic() >= deadline):
                raise
            log.warning("a batch is tried again on another worker", extra={"version": str(self.spec.key)})
            return await asyncio.create_task(self._second_try(inputs, rows, deadline), name="second try")
        finally:
            self._pending -= 1
            if not self._pending:
                self._idle.set()

    async def up(self) -> None:
        """Return when a worker answers. Raises Quarantined, WorkerDied when it is stopped instead."""
        if self._least_busy() is None:
            await self._next_free(None)

    def release(self) -> None:
        """End the quarantine, if there is one: the version gets workers and a new chance."""
        if not self.quarantined:
            return
        self.quarantined = ""
        self._deaths.forget()
        self._up.clear()
        self._turning = asyncio.create_task(self._revive(self._turning), name=f"revive {self.spec.key}")

    async def stop(self, grace_s: float) -> None:
        """Let what runs finish within the grace, then end the workers."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while self._pending or self.waiting:
                    self._idle.clear()
                    await self._idle.wait()
        if self._turning is not None:
            await self._turning
        await self._empty()
        # Whoever still waits for a worker waits no longer.
        self._stopped = True
        self._look()

    async def _second_try(self, inputs: Tensors, rows: int, deadline: float | None) -> Outputs:
        try:
            # One after the other: what kills its second worker takes no other second try with it.
            async with self._before(deadline), self._second_tries:
                return await self._once(inputs, rows, deadline)
        except TimeoutError:
            raise WorkerDied(str(self.spec.key)) from None

    async def _once(self, inputs: Tensors, rows: int, deadline: float | None) -> Outputs:
        found = self._least_busy()
        if found is None:
            # In a task: whoever runs a batch may be in none, and a timeout needs one.
            found = await asyncio.create_task(self._next_free(deadline), name="wait for a worker")
        berth, worker = found
        berth.running += rows
        try:
            outputs = await worker.run(inputs)
        finally:
            berth.running -= rows
        self._recorded.keep(self.spec, inputs)
        self.used_at = self._clock.monotonic()
        return outputs

    def _least_busy(self) -> tuple[Berth, Worker] | None:
        self._check_quarantine()
        found: tuple[Berth, Worker] | None = None
        for berth in self.berths:
            worker = berth.worker
            if worker is not None and (found is None or berth.running < found[0].running):
                found = berth, worker
        if found is None:
            self._up.clear()
        return found

    async def _next_free(self, deadline: float | None) -> tuple[Berth, Worker]:
        try:
            async with self._before(deadline):
                while (found := self._least_busy()) is None:
                    if self._stopped:
                        raise WorkerDied(str(self.spec.key))
                    await self._up.wait()
        except TimeoutError:
            raise WorkerDied(str(self.spec.key)) from None
        return found

    def _before(self, deadline: float | None) -> asyncio.Timeout:
        return asyncio.timeout(None if deadline is None else max(0.0, deadline - self._clock.monotonic()))

    def _look(self) -> None:
        self._up.set()

    def _check_quarantine(self) -> None:
        if self.quarantined:
            raise Quarantined(str(self.spec.key), self.quarantined)

    def _count_death(self, cause: str) -> None:
        if self._deaths.add(self._clock.monotonic()) and not self.quarantined:
            self.quarantined = f"{self._pool.patience}, the last one {cause}"
            self._turning = asyncio.create_task(self._empty(), name=f"quarantine {self.spec.key}")
            self._on_quarantine(self.spec.key, self.quarantined)
        self._look()

    async def _empty(self) -> None:
        await asyncio.gather(*(berth.empty() for berth in self.berths))

    async def _revive(self, emptying: asyncio.Task[None] | None) -> None:
        if emptying is not None:
            await emptying
        for berth in self.berths:
            berth.keep()
