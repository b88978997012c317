"""One version's lane: a batch is made of what waits, the moment that a worker has room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple

from services.inference_gateway.domain.errors import QueueFull, TooLate
from services.inference_gateway.domain.fair_queue import FairQueue
from services.inference_gateway.engine import errand
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.probe import Probe
from services.inference_gateway.engine.runner import Runner
from services.inference_gateway.engine.settle import Settle
from services.inference_gateway.engine.trips import Trips
from slipway.clock import Clock


class Load(NamedTuple):
    """What a version has to do: rows that wait, batches that its workers have, and their rows."""

    waiting_rows: int
    batches: int
    rows: int


NO_LOAD = Load(0, 0, 0)


class Lane:
    """One version's queue and the batches that are in its workers.

    No batch waits while a worker has room. Probes are run one after the other on each worker, while no chunk waits:
    however many there are, a chunk waits for the one that runs at most.
    """

    def __init__(
        self,
        runner: Runner,
        queue: FairQueue[Chunk],
        probes: FairQueue[Probe],
        *,
        settle: Settle,
        clock: Clock,
        batch_rows: int,
        offer: Callable[[Chunk], None],
        on_room: Callable[[], None],
    ) -> None:
        self._runner = runner
        self._queue = queue
        self._probes = probes
        self._probing = 0
        self._probe_tasks: set[asyncio.Task[None]] = set()
        self._settle = settle
        self._clock = clock
        self._batch_rows = batch_rows
        self._on_room = on_room
        self._trips = Trips(runner, settle, clock, batch_rows, offer)
        self._cost = self._trips.cost
        self._running = 0
        self._pumping = False
        self.unsettled = 0
        """Chunks of callers' rows that wait or run."""

    def push(self, chunk: Chunk) -> None:
        """See :meth:`Dispatch.offer`."""
        if chunk.hurried_s < inf and self._cost.known:
            # Others may come in between: whether it is late is found out again when it is taken.
            self._refuse_late(chunk, self._cost.seconds(self._queue.rows + self._trips.rows))
            if chunk.gone:
                return
        if not self._pumping and self._has_place() and self._queue.pass_by(chunk):
            self._count(chunk, 1)
            self._take([chunk])
            return
        try:
            self._queue.push(chunk)
        except QueueFull:
            self._settle.accounts.unanswered(chunk, [share.ask for share in chunk.shares])
            raise
        self._count(chunk, 1)
        self._pump()

    def probe(self, probe: Probe) -> None:
        """See :meth:`Dispatch.probe`."""
        self._probes.push(probe)
        self._runner.waiting += 1
        self._pump()

    @property
    def load(self) -> Load:
        """What waits and what runs, probes too."""
        return Load(self._queue.rows + self._probes.rows, self._running, self._trips.rows)

    def _pump(self) -> None:
        if self._pumping:
            return  # a batch ended at once, and whoever began it goes on
        self._pumping = True
        try:
            # A batch that waits for a worker to come up waits in the runner, which knows when none will.
            while len(self._queue) and self._has_place():
                self._take(self._queue.take(self._batch_rows))
            # Of the two places of a worker one stays for who comes meanwhile.
            while len(self._probes) and self._has_place() and self._probing < max(1, self._runner.up_now):
                [probe] = self._probes.take(1)
                if probe.gone:
                    self._runner.waiting -= 1
                else:
                    self._probing += 1
                    self._running += 1
                    # In a task: nobody's answer waits for it, and whoever calls meanwhile is taken in first.
                    task = asyncio.get_running_loop().create_task(self._run_probe(probe), name="probe")
                    self._probe_tasks.add(task)
                    task.add_done_callback(self._probe_tasks.discard)
        finally:
            self._pumping = False

    def _take(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            if chunk.hurried_s < inf:
                self._refuse_late(chunk, 0.0)
        if gone := [chunk for chunk in chunks if chunk.gone]:
            for chunk in gone:
                self._count(chunk, -1)
            chunks = [chunk for chunk in chunks if not chunk.gone]
        if chunks:
            self._running += 1
            errand.begin(self._trips.make(chunks, self._made))

    def _has_place(self) -> bool:
        return not self._running or self._running < self._runner.capacity

    def _ended(self) -> None:
        self._running -= 1
        self._pump()
        self._on_room()

    def _count(self, chunk: Chunk, change: int) -> None:
        self._runner.waiting += change
        if not chunk.shadow:
            self.unsettled += change

    def _refuse_late(self, chunk: Chunk, wait_s: float) -> None:
        """Tell those callers now who would have gone before their answer came."""
        now = self._clock.monotonic()
        if now + wait_s + self._cost.seconds(chunk.rows) <= chunk.hurried_s:
            return
        for share in chunk.shares:
            deadline = share.ask.batch.deadline_s
            if deadline is None or not share.ask.waits:
                continue
            # Those of a bundle are taken apart where only some can be answered in time.
            needed_s = wait_s + self._cost.seconds(share.rows // share.ask.requests)
            if now + needed_s > deadline:
                self._settle.accounts.unanswered(chunk, [share.ask])
                share.ask.fail(TooLate(str(self._runner.spec.key), max(deadline - now, 0.0), needed_s))

    def _made(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            self._count(chunk, -1)
        self._ended()

    async def _run_probe(self, probe: Probe) -> None:
        try:
            await self._trips.probe(probe)
        finally:
            self._probing -= 1
            self._runner.waiting -= 1
            self._ended()
