"""Rows of requests that go to a model together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import NamedTuple

import numpy as np

from services.inference_gateway.domain.answer import Draft
from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.feature_errors import FeaturesUnavailable
from services.inference_gateway.domain.features import Online, among
from services.inference_gateway.domain.merge import latest
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.engine.arm import Arm
from services.inference_gateway.engine.ask import Ask


class Share(NamedTuple):
    """Successive rows of a chunk that are of one request; ``places`` as in :class:`Part`."""

    ask: Ask
    rows: int
    places: Array | None = None


@dataclass(slots=True)
class Chunk:
    """Rows for one arm, of requests of one tenant and one priority, as the model takes them.

    ``inputs`` [rows, …] are conformed; ``read`` is what was read online for all rows of the wave, of which these are
    ``rows_read`` (None: all). ``shadows`` are the arms that score behind the answer. A ``shadow`` chunk is for the log;
    a ``fallback`` one stands in for an arm that could not answer. A ``lacking`` one is none that its arm can
    answer: features could not be read, and ``inputs`` are without them.
    """

    arm: Arm
    batch: Batch
    ids: tuple[str, ...]
    marks: tuple[bytes, ...]
    inputs: Tensors
    shares: Sequence[Share]
    view_times: Mapping[str, Array]
    degraded: tuple[int, ...] = ()
    online: Online | None = None
    rows_read: Array | None = None
    shadows: Sequence[Arm] = ()
    shadow: bool = False
    fallback: bool = False
    lacking: FeaturesUnavailable | None = None
    fallbacks: Mapping[str, Array] = field(default_factory=dict)
    """By column, the rows in which a feature's own fallback stands in for a value."""
    bytes: int = 0
    hurried_s: float = inf
    """When the first of the callers waits no more, in monotonic seconds."""
    draft: Draft = field(default=b"", init=False, repr=False, compare=False)
    """What the log has written of these very rows' record; a chunk made of this one has none."""

    @property
    def tenant(self) -> str:
        """Whose rows these are."""
        return self.batch.tenant

    @property
    def priority(self) -> int:
        """Their priority, 1 first; 0 is the default."""
        return self.batch.priority

    @property
    def rows(self) -> int:
        """How many."""
        return self.batch.rows

    @property
    def entries(self) -> int:
        """Of a queue's bounds: it is one, whatever it holds."""
        return 1

    @property
    def requests(self) -> int:
        """Of how many requests."""
        return len(self.batch.origins) or 1

    @property
    def deadline(self) -> float | None:
        """When nobody waits for any of them any more, in monotonic seconds; None: somebody waits for ever."""
        return self.batch.deadline_s

    @property
    def gone(self) -> bool:
        """Whether nobody waits for any of them."""
        for share in self.shares:  # noqa: SIM110  (asked of every chunk, mostly to hear of the first)
            if not share.ask.answered.done():
                return False
        return True


def hurried(shares: Sequence[Share]) -> float:
    """When the first of the callers waits no more, in monotonic seconds."""
    return min([inf if share.ask.deadline is None else share.ask.deadline for share in shares])


def each_share(chunk: Chunk) -> list[Chunk]:
    """The chunk request by request, as its ``shares`` are from then on."""
    chunk.shares = _apart(chunk.shares)
    if len(chunk.shares) == 1:
        return [chunk]
    return [cut(chunk, place, place + 1) for place in range(len(chunk.shares))]


def cut(chunk: Chunk, first: int, last: int) -> Chunk:
    """The requests of a chunk from the ``first`` up to the ``last``, which is left out, alone."""
    counts = [share.rows for share in chunk.shares]
    start = sum(counts[:first])
    rows = np.arange(start, start + sum(counts[first:last]))
    span = slice(start, start + len(rows))
    shares = chunk.shares[first:last]
    batch = replace(
        chunk.batch.take(rows),
        deadline_s=latest([share.ask.deadline for share in shares]),
        places=shares[0].ask.batch.places if len(shares) == 1 else None,
    )
    return replace(
        chunk,
        batch=batch,
        ids=chunk.ids[span],
        marks=chunk.marks[span],
        inputs={name: array[span] for name, array in chunk.inputs.items()},
        shares=shares,
        view_times={view: times[span] for view, times in chunk.view_times.items()},
        degraded=tuple([row - start for row in chunk.degraded if start <= row < span.stop]),
        fallbacks=among(chunk.fallbacks, rows),
        rows_read=rows if chunk.rows_read is None else chunk.rows_read[rows],
        bytes=chunk.bytes * len(rows) // chunk.rows,
        hurried_s=hurried(shares),
    )


def _apart(shares: Sequence[Share]) -> Sequence[Share]:
    apart: list[Share] = []
    for share in shares:
        members = share.ask.apart()
        apart += [share] if len(members) == 1 else [Share(one, one.rows) for one in members]
    return apart
