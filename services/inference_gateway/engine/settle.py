"""What follows an answer or a failure of a batch: the log, then the callers, then the shadows and the accounts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.domain.errors import NotReady
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.engine.accounts import Accounts
from services.inference_gateway.engine.ask import Ask, Part
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.fallback import DEFAULT_ROUTE, Fallback
from services.inference_gateway.engine.meter import Meter, Times
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.settled import Settled
from services.inference_gateway.engine.shadow_queue import ShadowQueue
from services.inference_gateway.engine.unlogged import Unlogged
from services.inference_gateway.ports import PredictionLog
from slipway.clock import Clock
from slipway.errors import Exhausted, SlipwayError, Unavailable

log = logging.getLogger(__name__)


class Settle:
    """Logs before it answers. What nobody waits for any more is not logged: nobody was answered."""

    def __init__(
        self,
        reconciler: Reconciler,
        prediction_log: PredictionLog,
        shadows: ShadowQueue,
        *,
        accounts: Accounts,
        meter: Meter,
        clock: Clock,
    ) -> None:
        self._log = prediction_log
        self._shadows = shadows
        self._clock = clock
        self._unlogged = Unlogged(meter, clock)
        self.under_way = 0
        """Batches that workers have."""
        self.accounts = accounts
        self.fallback = Fallback(reconciler)

    def draft(self, chunks: Sequence[Chunk]) -> None:
        """Have the log write what it can while the model computes, for then nobody waits for this process."""
        alone = self.under_way == 1 and len(chunks) == 1
        for chunk in chunks:
            if chunk.draft:
                continue  # these very rows are tried again
            chunk.draft = self._log.draft(_answer(chunk, {}, 0.0), first=alone)

    def failed(self, chunk: Chunk, error: BaseException) -> None:
        """A batch, or a request of it, got no answer; or the endpoint's default one."""
        self.accounts.broke(chunk, error)
        if (outputs := self.fallback.default(chunk, error)) is not None:
            now = self._clock.monotonic()
            answer = replace(_answer(chunk, outputs, now), version=0, route=DEFAULT_ROUTE, fallback=True)
            one = Settled.of(chunk, answer)
            self._default(replace(one, chunks=[]), now)
            return
        self.accounts.failed(chunk, error)
        for share in chunk.shares:
            share.ask.fail(error)

    def unready(self, ask: Ask, error: NotReady) -> None:
        """Nothing is loaded that could take a request: it gets the endpoint's default answer, or the error."""
        now = self._clock.monotonic()
        try:
            answer = self.fallback.unready(ask, error, now)
        except SlipwayError as wrong:
            if ask.requests == 1:
                ask.fail(wrong)
                return
            for member in ask.apart():
                self.unready(member, error)
            return
        if answer is None:
            ask.fail(error)
            return
        ask.parts.append(Part(answer, 0, ask.rows))
        one = Settled([], [answer], [ask])
        self._default(one, now)

    def _default(self, one: Settled, now: float) -> None:
        """The endpoint's default answer."""
        self._keep([one])
        self._complete(one)
        self.accounts.told(one.answers, Times(now, 0.0, now))

    def answered(self, chunks: Sequence[Chunk], outputs: Tensors, times: Times) -> None:
        """A version answered the rows of these chunks, one after the other."""
        start, settled, apart = 0, [], []
        for chunk in chunks:
            end = start + chunk.rows
            mine = outputs if len(chunks) == 1 else {name: array[start:end] for name, array in outputs.items()}
            start = end
            apart.append(mine)
            settled.append(Settled.of(chunk, _answer(chunk, mine, times.ended_s)))
        apart_s = self._clock.monotonic() - times.ended_s
        self._keep(settled)
        for one in settled:
            self._complete(one)
        # After those who wait have gone on with their answers.
        asyncio.get_running_loop().call_soon(self._account, chunks, apart, settled, times, apart_s)

    def _account(
        self, chunks: Sequence[Chunk], outputs: list[Tensors], settled: list[Settled], times: Times, apart_s: float
    ) -> None:
        try:
            self.accounts.ran(chunks, outputs, times, apart_s)
            for one in settled:
                self.accounts.told(one.answers, times)
        except Exception:
            log.exception("a batch was answered, but is not counted, by a defect")

    def _complete(self, one: Settled) -> None:
        for ask in one.asks:
            ask.complete()
        if one.answers:
            for chunk in one.chunks:
                self._shadows.offer(chunk)

    def _keep(self, settled: Sequence[Settled]) -> None:
        answers = settled[0].answers if len(settled) == 1 else [answer for one in settled for answer in one.answers]
        if not answers:
            return
        try:
            self._log.append(answers, self._clock.now())
        except (Exhausted, Unavailable) as error:
            # The promise to applications outranks the log: answers go on, and what is missing is counted and said.
            self._unlogged.missed(sum([answer.batch.rows for answer in answers if not answer.shadow]), error.message)
            for answer in answers:
                if answer.shadow:
                    self._shadows.lose(VersionKey(answer.model, answer.version), answer.batch.rows, error.message)
        except SlipwayError as error:
            self._keep_each(settled, error)
        else:
            self._unlogged.kept()

    def _keep_each(self, settled: Sequence[Settled], error: SlipwayError) -> None:
        """An answer is too large for the log: whose it is gets the error, and the others their answers."""
        apart = [one.each() for one in settled]
        if len(settled) == 1 and len(apart[0]) == 1:
            settled[0].asks[0].fail(error)
            settled[0].answers.clear()
            return
        for one, alone in zip(settled, apart, strict=True):
            for request in alone:
                self._keep([request])
            one.answers[:] = [answer for request in alone for answer in request.answers]


def _answer(chunk: Chunk, outputs: Tensors, ended_s: float) -> Answer:
    spec = chunk.arm.runner.spec
    answer = Answer(
        chunk.batch,
        chunk.ids,
        chunk.marks,
        spec.key.model,
        spec.key.number,
        chunk.arm.route.name,
        chunk.inputs,
        outputs,
        chunk.view_times,
        chunk.degraded,
        chunk.shadow,
        ended_s,
        # Who scores behind another's answer exposes nobody.
        "" if chunk.shadow else chunk.arm.route.experiment,
        chunk.fallback,
        chunk.fallbacks,
    )
    answer.draft = chunk.draft
    return answer
