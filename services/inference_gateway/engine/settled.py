"""What of an answer somebody waits for: it goes to the log, and then to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.engine.ask import Ask, Part, each
from services.inference_gateway.engine.chunk import Chunk, each_share


@dataclass(slots=True)
class Settled:
    """Answers that go to the log now, of which chunks they are, and the requests that are complete with them."""

    chunks: list[Chunk]
    answers: list[Answer]
    asks: list[Ask]

    @classmethod
    def of(cls, chunk: Chunk, answer: Answer) -> Self:
        """What of a chunk's answer somebody waits for.

        Parts of a request that other arms answer too are kept back until all of them are there.
        """
        asks, start = [], 0
        for ask, _, places in chunk.shares:
            if places is not None or ask.answered.done():
                return cls._sorted_out(chunk, answer)
            asks.append(ask)
        for ask, rows, _ in chunk.shares:
            end = start + rows
            ask.parts.append(Part(answer, start, end))
            start = end
        return cls([chunk], [answer], asks)

    @classmethod
    def _sorted_out(cls, chunk: Chunk, answer: Answer) -> Self:
        found = cls([], [], [])
        start = 0
        apart = each_share(chunk)
        for share, own in zip(chunk.shares, apart, strict=True):
            rows, start = np.arange(start, start + share.rows), start + share.rows
            ask = share.ask
            if not ask.waits:
                continue
            ask.parts.append(Part(answer.take(rows), 0, share.rows, share.places))
            ask.held.append(own)
            ask.left -= 1
            if ask.left <= 0:
                found.answers.extend([part.answer for part in ask.parts])
                found.chunks.extend(ask.held)
                found.asks.append(ask)
        return found

    def each(self) -> list[Settled]:
        """The same request by request, as its ``asks`` are from then on."""
        self.asks = each(self.asks)
        return [
            Settled([], [part.answer.take(np.arange(part.start, part.end)) for part in ask.parts], [ask])
            for ask in self.asks
        ]
