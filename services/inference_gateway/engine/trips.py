"""Batches on their way to one version's workers and back."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from math import inf

import numpy as np

from services.inference_gateway.domain.cost import Cost
from services.inference_gateway.domain.merge import latest
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.domain.worker_errors import ModelFailed, WorkerDied
from services.inference_gateway.engine.chunk import Chunk, each_share
from services.inference_gateway.engine.meter import Times
from services.inference_gateway.engine.probe import Probe
from services.inference_gateway.engine.runner import Runner
from services.inference_gateway.engine.settle import Settle
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)


class Trips:
    """Takes batches there, learns what they cost, and settles what comes back.

    No batch is larger than what its callers can wait for, where a smaller one is quick enough; and what fails together
    is tried again request by request.
    """

    def __init__(
        self, runner: Runner, settle: Settle, clock: Clock, batch_rows: int, offer: Callable[[Chunk], None]
    ) -> None:
        self._runner = runner
        self._settle = settle
        self._clock = clock
        self._batch_rows = batch_rows
        self._offer = offer
        self._ended_at = 0.0
        self.cost = Cost()
        self.rows = 0
        """Those that workers have now."""

    async def make(self, chunks: Sequence[Chunk], ended: Callable[[Sequence[Chunk]], None]) -> None:
        """Have chunks answered, each in full or with an error, and say that it ended. Never raises."""
        try:
            if min([chunk.hurried_s for chunk in chunks]) == inf:
                await self._answer(chunks)
                return
            for batch in self._in_time(chunks):
                await self._answer(batch)
        except Exception as error:
            log.exception("a batch failed by a defect", extra={"version": str(self._runner.spec.key)})
            for chunk in chunks:
                self._settle.failed(chunk, error)
        finally:
            ended(chunks)

    async def probe(self, probe: Probe) -> None:
        """Have a probe answered, or its failure told. Never raises."""
        began = self._clock.monotonic()
        self.rows += probe.rows
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
            self.rows -= probe.rows

    def _learn(self, rows: int, began: float) -> tuple[float, float]:
        """The seconds that a batch took of its worker, and when it was back."""
        ended = self._clock.monotonic()
        # What another batch had of the only worker meanwhile was not this one's.
        if self._ended_at > began and self._runner.up_now == 1:
            began = self._ended_at
        took_s = ended - began
        self._ended_at = ended
        self.cost.learn(rows, took_s)
        return took_s, ended

    def _in_time(self, chunks: Sequence[Chunk]) -> Iterator[Sequence[Chunk]]:
        """The chunks as one batch; or as several, the hurried first, if only so all callers get answers in time."""
        hurried = min([chunk.hurried_s for chunk in chunks])
        whole_s = self.cost.seconds(sum([chunk.rows for chunk in chunks]))
        if self._clock.monotonic() + whole_s <= hurried:
            yield chunks
            return
        waiting = deque(sorted(_apart(chunks), key=_hurried))
        while waiting:
            batch = [waiting.popleft()]
            left_s = batch[0].hurried_s - self._clock.monotonic()
            room = self.cost.rows_within(left_s, self._batch_rows) - batch[0].rows
            while waiting and waiting[0].rows <= room:
                room -= waiting[0].rows
                batch.append(waiting.popleft())
            yield batch

    async def _answer(self, chunks: Sequence[Chunk]) -> None:
        rows = sum([chunk.rows for chunk in chunks])
        several = len(chunks) > 1 or chunks[0].requests > 1
        began = self._clock.monotonic()
        self.rows += rows
        self._settle.under_way += 1
        try:
            inputs = _stacked(chunks)
            stacked_s = self._clock.monotonic() - began if len(chunks) > 1 else 0.0
            asyncio.get_running_loop().call_soon(self._settle.draft, chunks)  # when they are with the worker
            # What several requests fail by may be the fault of one: the second try is each one's own.
            outputs = await self._runner.run(inputs, rows, _patience(chunks), again=not several)
        except (ModelFailed, WorkerDied) as error:
            if several:
                await self._again(chunks)
            else:
                self._fail(chunks[0], error)
        except SlipwayError as error:
            for chunk in chunks:
                self._fail(chunk, error)
        else:
            took_s, ended = self._learn(rows, began)
            packed_s = stacked_s + outputs.packed_s
            times = Times(began, took_s, ended, outputs.ran_s, packed_s, outputs.unpacked_s)
            self._settle.answered(chunks, outputs, times)
        finally:
            self.rows -= rows
            self._settle.under_way -= 1

    async def _again(self, chunks: Sequence[Chunk]) -> None:
        for one in _apart(chunks):
            if not one.gone:
                await self._answer([one])

    def _fail(self, chunk: Chunk, error: SlipwayError) -> None:
        """Let the endpoint's fallback answer, if it has a version that can; else tell the callers."""
        if (other := self._settle.fallback.another(chunk, error)) is not None:
            self._settle.accounts.broke(chunk, error)
            try:
                self._offer(other)
            except SlipwayError as refused:
                self._settle.failed(other, refused)
            return
        self._settle.failed(chunk, error)


def _hurried(chunk: Chunk) -> float:
    return chunk.hurried_s


def _patience(chunks: Sequence[Chunk]) -> float | None:
    return chunks[0].deadline if len(chunks) == 1 else latest([one.deadline for one in chunks])


def _apart(chunks: Sequence[Chunk]) -> Iterable[Chunk]:
    return chain(*map(each_share, chunks))


def _stacked(chunks: Sequence[Chunk]) -> Tensors:
    if len(chunks) == 1:
        return chunks[0].inputs
    return {name: np.concatenate([chunk.inputs[name] for chunk in chunks]) for name in chunks[0].inputs}
