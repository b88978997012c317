"""Running chunks on the versions' workers: a batch is made of what waits, the moment that a worker has room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from math import inf
from weakref import WeakKeyDictionary

import numpy as np

from services.inference_gateway.domain.cost import Cost
from services.inference_gateway.domain.errors import ModelFailed, TooLate, WorkerDied
from services.inference_gateway.domain.fair_queue import Bounds, FairQueue
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.engine.ask import Chunk, each_share
from services.inference_gateway.engine.runner import Runner
from services.inference_gateway.engine.settle import Settle, Times
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)


class Dispatch:
    """Hands each chunk to the lane of its version."""

    def __init__(
        self, settle: Settle, clock: Clock, bounds: Bounds, batch_rows: int, weights: Mapping[str, float] | None = None
    ) -> None:
        """``batch_rows`` is the most that a worker is given at once; ``weights`` are the tenants' shares."""
        self._settle = settle
        self._clock = clock
        self._bounds = bounds
        self._batch_rows = batch_rows
        self._weights = weights
        self._lanes: WeakKeyDictionary[Runner, Lane] = WeakKeyDictionary()

    def offer(self, chunk: Chunk) -> None:
        """Let a chunk be run. Raises QueueFull; requests that can't be answered in time are refused at once."""
        runner = chunk.arm.runner
        lane = self._lanes.get(runner)
        if lane is None:
            queue: FairQueue[Chunk] = FairQueue(str(runner.spec.key), self._bounds, self._weights)
            lane = self._lanes[runner] = Lane(runner, queue, self._settle, self._clock, self._batch_rows)
        lane.push(chunk)


class Lane:
    """One version's queue and the batches that are in its workers.

    No batch waits while a worker has room, none is larger than what the first of its callers can wait for, and what
    fails together is tried again request by request.
    """

    def __init__(
        self, runner: Runner, queue: FairQueue[Chunk], settle: Settle, clock: Clock, batch_rows: int
    ) -> None:
        self._runner = runner
        self._queue = queue
        self._settle = settle
        self._clock = clock
        self._batch_rows = batch_rows
        self._cost = Cost()
        self._running: set[asyncio.Task[None]] = set()
        self._rows_running = 0
        self._ended_at = 0.0

    def push(self, chunk: Chunk) -> None:
        """See :meth:`Dispatch.offer`."""
        if chunk.deadline is not None and self._cost.known:
            # Chunks of a higher priority may come in between: that this one is late is found out again when it is taken.
            self._refuse_late([chunk], self._cost.seconds(self._queue.rows + self._rows_running))
            if chunk.gone:
                return
        self._queue.push(chunk)
        self._runner.waiting += 1
        self._pump()

    def _pump(self) -> None:
        # A batch that waits for a worker to come up waits in the runner, which knows when none will.
        while len(self._queue) and len(self._running) < max(1, self._runner.capacity):
            before = len(self._queue)
            taken = self._queue.take(self._batch_rows, _gone)
            self._runner.waiting -= before - len(self._queue) - len(taken)
            self._refuse_late(taken, 0.0)
            chunks = [chunk for chunk in taken if not chunk.gone]
            self._runner.waiting -= len(taken) - len(chunks)
            for batch in self._in_time(chunks):
                task = asyncio.get_running_loop().create_task(self._run(batch), name="batch")
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    def _in_time(self, chunks: Sequence[Chunk]) -> list[Sequence[Chunk]]:
        """The chunks as one batch; or as two, if only so its first callers get their answers before their deadlines."""
        if not chunks:
            return []
        deadlines = [chunk.deadline for chunk in chunks if chunk.deadline is not None]
        if len(chunks) > 1 and deadlines and self._cost.known:
            left_s = min(deadlines) - self._clock.monotonic()
            if self._cost.seconds(sum([chunk.rows for chunk in chunks])) > left_s:
                chunks = sorted(chunks, key=lambda chunk: inf if chunk.deadline is None else chunk.deadline)
                return [chunks[:1], chunks[1:]]
        return [chunks]

    def _refuse_late(self, chunks: Sequence[Chunk], wait_s: float) -> None:
        """Tell those callers now who would have gone before their answer came."""
        now = self._clock.monotonic()
        for chunk in chunks:
            for share in chunk.shares:
                deadline = share.ask.batch.deadline_s
                if deadline is None or not share.ask.waits:
                    continue
                needed_s = wait_s + self._cost.seconds(share.rows)
                if now + needed_s > deadline:
                    share.ask.fail(TooLate(str(self._runner.spec.key), max(deadline - now, 0.0), needed_s))

    async def _run(self, chunks: Sequence[Chunk]) -> None:
        rows = sum([chunk.rows for chunk in chunks])
        self._rows_running += rows
        try:
            await self._answer(chunks, rows)
        except Exception as error:
            log.exception("a batch failed by a defect", extra={"version": str(self._runner.spec.key)})
            for chunk in chunks:
                self._settle.failed(chunk, error)
        finally:
            self._rows_running -= rows
            self._runner.waiting -= len(chunks)
            self._running.discard(asyncio.current_task())  # type: ignore[arg-type]  # a task runs this
            self._pump()

    async def _answer(self, chunks: Sequence[Chunk], rows: int) -> None:
        several = len(chunks) > 1 or len(chunks[0].shares) > 1
        began = self._clock.monotonic()
        try:
            # What several requests fail by may be the fault of one: the second try is each one's own.
            outputs = await self._runner.run(_stacked(chunks), rows, _last(chunks), again=not several)
        except (ModelFailed, WorkerDied) as error:
            if several:
                await self._apart(chunks)
            else:
                self._settle.failed(chunks[0], error)
        except SlipwayError as error:
            for chunk in chunks:
                self._settle.failed(chunk, error)
        else:
            ended = self._clock.monotonic()
            # What another batch had of the worker meanwhile was not this one's.
            took_s = ended - max(began, self._ended_at)
            self._ended_at = ended
            self._cost.learn(rows, took_s)
            self._settle.answered(chunks, outputs, Times(began, took_s, ended))

    async def _apart(self, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            for one in each_share(chunk):
                if not one.gone:
                    await self._answer([one], one.rows)


def _gone(chunk: Chunk) -> bool:
    return chunk.gone


def _last(chunks: Sequence[Chunk]) -> float | None:
    deadlines = [chunk.deadline for chunk in chunks]
    return None if None in deadlines else max(one for one in deadlines if one is not None)


def _stacked(chunks: Sequence[Chunk]) -> Tensors:
    if len(chunks) == 1:
        return chunks[0].inputs
    return {name: np.concatenate([chunk.inputs[name] for chunk in chunks]) for name in chunks[0].inputs}
