"""Answering those who can wait: what fails for a reason that passes is tried again."""

from __future__ import annotations

from collections.abc import Sequence

from services.inference_gateway.domain.answer import Prediction
from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.engine.admission import Admitted
from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError
from slipway.events import Backoff

_PASSING = frozenset({Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED, Kind.DEADLINE_EXCEEDED})


class Persist:
    """Predicts, and tries again for ``patience_s`` seconds at most.

    An endpoint for which that was in vain is not waited for again until it has answered: it must not hold up others.
    """

    def __init__(self, predict: Admitted, clock: Clock, patience_s: float, backoff: Backoff | None = None) -> None:
        self._predict = predict
        self._clock = clock
        self._patience_s = patience_s
        self._backoff = backoff or Backoff(limit_s=1.0)
        self._in_vain: set[str] = set()

    async def predictions(self, batch: Batch) -> Sequence[Prediction]:
        """As :meth:`Admitted.predictions`; raises what the last try failed by."""
        give_up_at, failures = self._clock.monotonic() + self._patience_s, 0
        while True:
            try:
                answers = await self._predict.predictions(batch)
            except SlipwayError as error:
                if error.kind not in _PASSING or batch.endpoint in self._in_vain:
                    raise
                failures += 1
                delay_s = self._backoff.delay_s(failures, error.retry_after_s)
                if self._clock.monotonic() + delay_s >= give_up_at:
                    self._in_vain.add(batch.endpoint)
                    raise
            else:
                self._in_vain.discard(batch.endpoint)
                return answers
            await self._clock.sleep(delay_s)
