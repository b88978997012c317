"""One version's lane: a batch is made of what waits, the moment that a worker has room."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import chain
from math import inf
from typing import Any, NamedTuple

import numpy as np

from services.inference_gateway.domain.cost import Cost
from services.inference_gateway.domain.errors import QueueFull, TooLate
from services.inference_gateway.domain.fair_queue import FairQueue
from services.inference_gateway.domain.merge import latest
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.domain.worker_errors import ModelFailed, WorkerDied
from services.inference_gateway.engine.ask import Chunk, each_share
from services.inference_gateway.engine.meter import Times
from services.inference_gateway.engine.probe import Probe
from services.inference_gateway.engine.runner import Runner
from services.inference_gateway.engine.settle import Settle
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)


class Load(NamedTuple):
    """What a version has to do: rows that wait, batches that its workers have, and their rows."""

    waiting_rows: int
    batches: int
    rows: int


NO_LOAD = Load(0, 0, 0)


class Lane:
    """One version's queue and the batches that are in its workers.

    No batch waits while a worker has room; none is larger than what its callers can wait for, where a smaller one is
    quick enough; and what fails together is tried again request by request. Probes are run one after the other on each
    worker, while no chunk waits: however many there are, a chunk waits for the one that runs at most.
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
        self._settle = settle
        self._clock = clock
        self._batch_rows = batch_rows
        self._offer = offer
        self._on_room = on_room
        self._cost = Cost()
        self._running: set[asyncio.Task[None]] = set()
        self._rows_running = 0
        self._ended_at = 0.0
        self.unsettled = 0
        """Chunks of callers' rows that wait or run."""

    def push(self, chunk: Chunk) -> None:
        """See :meth:`Dispatch.offer`."""
        if chunk.hurried_s < inf and self._cost.known:
            # Others may come in between: whether it is late is found out again when it is taken.
            self._refuse_late(chunk, self._cost.seconds(self._queue.rows + self._rows_running))
            if chunk.gone:
                return
        try:
            self._queue.push(chunk)
        except QueueFull:
            self._settle.unanswered(chunk, [share.ask for share in chunk.shares])
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
        return Load(self._queue.rows + self._probes.rows, len(self._running), self._rows_running)

    def _pump(self) -> None:
        # A batch that waits for a worker to come up waits in the runner, which knows when none will.
        while len(self._queue) and self._has_place():
            taken = self._queue.take(self._batch_rows)
            for chunk in taken:
                self._refuse_late(chunk, 0.0)
                if chunk.gone:
                    self._count(chunk, -1)
            if chunks := [chunk for chunk in taken if not chunk.gone]:
                self._begin(self._run(chunks), "batch")
        # Of the two places of a worker one stays for who comes meanwhile.
        while len(self._probes) and self._has_place() and self._probing < max(1, len(self._runner.workers)):
            [probe] = self._probes.take(1)
            if probe.gone:
                self._runner.waiting -= 1
            else:
                self._probing += 1
                self._begin(self._run_probe(probe), "probe")

    def _has_place(self) -> bool:
        return len(self._running) < max(1, self._runner.capacity)

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._running.add(asyncio.get_running_loop().create_task(work, name=name))

    def _ended(self) -> None:
        self._running.discard(asyncio.current_task())
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
            needed_s = wait_s + self._cost.seconds(share.rows)
            if now + needed_s > deadline:
                self._settle.unanswered(chunk, [share.ask])
                share.ask.fail(TooLate(str(self._runner.spec.key), max(deadline - now, 0.0), needed_s))

    async def _run(self, chunks: Sequence[Chunk]) -> None:
        try:
            for batch in self._in_time(chunks):
                await self._answer(batch)
        except Exception as error:
            log.exception("a batch failed by a defect", extra={"version": str(self._runner.spec.key)})
            for chunk in chunks:
                self._settle.failed(chunk, error)
        finally:
            for chunk in chunks:
                self._count(chunk, -1)
            self._ended()

    async def _run_probe(self, probe: Probe) -> None:
        began = self._clock.monotonic()
        self._rows_running += probe.rows
        try:
            outputs = await self._runner.run(probe.inputs, probe.rows, probe.deadline)
            self._learn(probe.rows, began)
            probe.complete(outputs)
        except SlipwayError as error:
            probe.fail(error)
        except Exception as error:
            log.exception("a probe failed by a defect", extra={"version": str(self._runner.spec.key)})
            probe.fail(error)
        finally:
            self._rows_running -= probe.rows
            self._probing -= 1
            self._runner.waiting -= 1
            self._ended()

    def _learn(self, rows: int, began: float) -> tuple[float, float]:
        """The seconds that a batch took of its worker, and when it was back."""
        ended = self._clock.monotonic()
        # What another batch had of the only worker meanwhile was not this one's.
        alone = len(self._runner.workers) == 1
        took_s = ended - (max(began, self._ended_at) if alone else began)
        self._ended_at = ended
        self._cost.learn(rows, took_s)
        return took_s, ended

    def _in_time(self, chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
        """The chunks as one batch; or as several, the hurried first, if only so all callers get answers in time."""
        hurried = min([chunk.hurried_s for chunk in chunks])
        whole_s = self._cost.seconds(sum([chunk.rows for chunk in chunks]))
        if self._clock.monotonic() + whole_s <= hurried:
            yield chunks
            return
        waiting = deque(sorted(chain(*map(each_share, chunks)), key=_hurried))
        while waiting:
            batch = [waiting.popleft()]
            left_s = batch[0].hurried_s - self._clock.monotonic()
            room = self._cost.rows_within(left_s, self._batch_rows) - batch[0].rows
            while waiting and waiting[0].rows <= room:
                room -= waiting[0].rows
                batch.append(waiting.popleft())
            yield batch

    async def _answer(self, chunks: Sequence[Chunk]) -> None:
        rows = sum([chunk.rows for chunk in chunks])
        several = len(chunks) > 1 or len(chunks[0].shares) > 1
        began = self._clock.monotonic()
        self._rows_running += rows
        try:
            inputs = _stacked(chunks)
            stacked_s = self._clock.monotonic() - began
            # What several requests fail by may be the fault of one: the second try is each one's own.
            outputs = await self._runner.run(inputs, rows, latest([one.deadline for one in chunks]), again=not several)
        except (ModelFailed, WorkerDied) as error:
            if several:
                await self._apart(chunks)
            else:
                self._fail(chunks[0], error)
        except SlipwayError as error:
            for chunk in chunks:
                self._fail(chunk, error)
        else:
            took_s, ended = self._learn(rows, began)
            packed_s = stacked_s + outputs.packed_s
            self._settle.answered(
                chunks, outputs, Times(began, took_s, ended, outputs.ran_s, packed_s, outputs.unpacked_s)
            )
        finally:
            self._rows_running -= rows

    def _fail(self, chunk: Chunk, error: SlipwayError) -> None:
        """Let the endpoint's fallback answer, if it has a version that can; else tell the callers."""
        if (other := self._settle.fallback.another(chunk, error)) is not None:
            self._settle.broke(chunk, error)
            try:
                self._offer(other)
            except SlipwayError as refused:
                self._settle.failed(other, refused)
            return
        self._settle.failed(chunk, error)

    async def _apart(self, chunks: Sequence[Chunk]) -> None:
        for one in chain(*map(each_share, chunks)):
            if not one.gone:
                await self._answer([one])


def _hurried(chunk: Chunk) -> float:
    return chunk.hurried_s


def _stacked(chunks: Sequence[Chunk]) -> Tensors:
    if len(chunks) == 1:
        return chunks[0].inputs
    return {name: np.concatenate([chunk.inputs[name] for chunk in chunks]) for name in chunks[0].inputs}
