"""Remembering what was answered, so that a retry gets the first answer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from services.inference_gateway.domain.answer import Prediction
from services.inference_gateway.domain.errors import PredictionIdReused
from services.inference_gateway.ports import Remembered


@dataclass(frozen=True, slots=True)
class Claim:
    """The rows of a request that were answered before, and those that its holder alone may answer now."""

    known: dict[int, Prediction]
    fresh: list[int]


class Memory:
    """The last ``limit`` answers by prediction id.

    Two requests with one id at the same time are one prediction: the second waits for the first, and computes
    only if the first failed. A request claims all of its ids at once and holds none while it waits, so requests
    that overlap can't wait for each other in a circle.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._answers: OrderedDict[str, Remembered] = OrderedDict()
        self._running: dict[str, asyncio.Event] = {}

    def restore(self, kept: Iterable[Remembered]) -> int:
        """Take in what the log kept, oldest first; returns how many ids are known now."""
        for one in kept:
            self._keep(one)
        return len(self._answers)

    @asynccontextmanager
    async def claim(self, ids: Sequence[str], digests: Sequence[bytes]) -> AsyncIterator[Claim]:
        """Claim a request's rows until the block ends. Raises PredictionIdReused for an id with other input."""
        while waiting := [self._running[one] for one in ids if one in self._running]:
            await waiting[0].wait()
        claim = self._split(ids, digests)
        done = asyncio.Event()
        mine = [ids[row] for row in claim.fresh]
        self._running.update(dict.fromkeys(mine, done))
        try:
            yield claim
        finally:
            for one in mine:
                del self._running[one]
            done.set()

    def remember(self, predictions: Sequence[Prediction], digests: Sequence[bytes]) -> None:
        """Keep answers that are on the log."""
        for prediction, digest in zip(predictions, digests, strict=True):
            self._keep(Remembered(prediction, digest))

    def _split(self, ids: Sequence[str], digests: Sequence[bytes]) -> Claim:
        known: dict[int, Prediction] = {}
        fresh: list[int] = []
        for row, (one, digest) in enumerate(zip(ids, digests, strict=True)):
            kept = self._answers.get(one)
            if kept is None:
                fresh.append(row)
            elif kept.digest != digest:
                raise PredictionIdReused(one)
            else:
                known[row] = replace(kept.prediction, replayed=True)
        return Claim(known, fresh)

    def _keep(self, one: Remembered) -> None:
        self._answers[one.prediction.prediction_id] = one
        while len(self._answers) > self._limit:
            self._answers.popitem(last=False)
