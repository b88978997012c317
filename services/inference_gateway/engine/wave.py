"""Requests of one endpoint and one layout, taken in together: which arm gets which rows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.features import Online, unread
from services.inference_gateway.domain.merge import merged
from services.inference_gateway.domain.routing import assign
from services.inference_gateway.domain.signature import Signature
from services.inference_gateway.engine.arm import Arm, named
from services.inference_gateway.engine.ask import Ask, each
from services.inference_gateway.engine.chunk import Chunk, Share
from services.inference_gateway.engine.prepare import prepare


@dataclass(slots=True)
class Wave:
    """The requests, their rows as one batch, the endpoint's arms of one moment, and which of them answers what.

    Of ``parts`` the rows are indices into the batch, ascending, or None for all of them.
    """

    asks: Sequence[Ask]
    batch: Batch
    ids: tuple[str, ...]
    marks: tuple[bytes, ...]
    arms: Sequence[Arm]
    parts: Sequence[tuple[Arm, Array | None]]

    @classmethod
    def of(cls, asks: Sequence[Ask], arms: Sequence[Arm]) -> Wave:
        """The wave of requests of one layout. Raises VersionNotServed for a version that they name."""
        answering = named(asks[0].batch.endpoint, arms, asks[0].version) if asks[0].version else arms
        live = _live(answering)
        if len(live) > 1:
            asks = each(asks)  # every request has an arm of its own
        batch = merged([ask.batch for ask in asks], [ask.began_s for ask in asks])
        if len(asks) == 1:
            ids, marks = asks[0].ids, asks[0].marks
        else:
            ids = tuple(chain.from_iterable([ask.ids for ask in asks]))
            marks = tuple(chain.from_iterable([ask.marks for ask in asks]))
        return cls(asks, batch, ids, marks, arms, _split(asks, batch, ids, live))

    @property
    def alone(self) -> bool:
        """Whether it is a single request."""
        return len(self.asks) == 1 and self.asks[0].requests == 1

    @property
    def whole(self) -> bool:
        """Whether each request is answered by one version, which reads nothing."""
        return self.asks[0].whole

    @property
    def signatures(self) -> list[Signature]:
        """Of the versions that answer."""
        return [arm.runner.spec.signature for arm, _ in self.parts]

    @property
    def shadow_signatures(self) -> list[Signature]:
        """Of the versions that score in the shadow."""
        return [arm.runner.spec.signature for arm in self.arms if arm.route.shadow]

    @property
    def reads(self) -> bool:
        """Whether a version that answers takes features that the callers left out."""
        return not self.whole and any(unread(one, self.batch.features) for one in self.signatures)

    @property
    def deadline_s(self) -> float | None:
        """When the first of the callers waits no more, in monotonic seconds."""
        known = [ask.batch.deadline_s for ask in self.asks if ask.batch.deadline_s is not None]
        return min(known) if known else None

    def chunk(self, arm: Arm, rows: Array | None, online: Online | None, alone: Ask | None = None) -> Chunk:
        """An arm's rows as its version takes them; of one request ``alone``, the errors name rows as its caller does.

        Raises as :func:`prepare`.
        """
        shadows = [one for one in self.arms if one.route.shadow and one.route.name != arm.route.name]
        if rows is None:
            shares = [Share(ask, ask.rows) for ask in self.asks]
            return prepare(arm, self.batch, self.ids, self.marks, shares, online=online, shadows=shadows, may_lack=True)
        part = self.batch.take(rows)
        chosen = rows.tolist()
        shares = [Share(ask, len(own), places) for ask, own, places in self.by_ask(rows) if alone in {None, ask}]
        if alone is not None:
            places = shares[0].places
            own = alone.batch.places
            if places is None:
                places = np.arange(alone.batch.rows)
            part = replace(part, places=places if own is None else own[places])
        return prepare(
            arm,
            part,
            tuple([self.ids[row] for row in chosen]),
            tuple([self.marks[row] for row in chosen]) if self.marks else (),
            shares,
            online=online,
            rows=rows,
            shadows=shadows,
            may_lack=True,
        )

    def by_ask(self, rows: Array | None) -> Iterator[tuple[Ask, Array, Array | None]]:
        """The same rows request by request, and their numbers in the request: None for all of it."""
        every = np.arange(self.batch.rows) if rows is None else rows
        start = 0
        for ask in each(self.asks):
            own = every[np.searchsorted(every, start) : np.searchsorted(every, start + ask.rows)]
            if len(own):
                yield ask, own, None if len(own) == ask.rows else own - start
            start += ask.rows


def _live(arms: Sequence[Arm]) -> Sequence[Arm]:
    if len(arms) == 1:
        return arms
    return [arm for arm in arms if arm.route.weight] or arms[:1]


def _split(
    asks: Sequence[Ask], batch: Batch, ids: tuple[str, ...], live: Sequence[Arm]
) -> list[tuple[Arm, Array | None]]:
    if len(live) == 1:
        return [(live[0], None)]
    chosen = _assigned(asks, batch, ids, live)
    parts = [(arm, np.flatnonzero(chosen == place)) for place, arm in enumerate(live)]
    found: list[tuple[Arm, Array | None]] = [(arm, rows) for arm, rows in parts if len(rows)]
    if len(found) == 1:
        return [(found[0][0], None)]
    for ask, start in zip(asks, np.cumsum([0, *[one.batch.rows for one in asks]]).tolist(), strict=False):
        ask.left = len(np.unique(chosen[start : start + ask.batch.rows]))
    return found


def _assigned(asks: Sequence[Ask], batch: Batch, ids: tuple[str, ...], live: Sequence[Arm]) -> Array:
    """Each row's arm; of requests that one version must answer, all rows go where the first one goes."""
    routes = [arm.route for arm in live]
    if not asks[0].whole:
        return assign(batch.endpoint, batch.entity_keys, ids, routes)
    counts = [ask.batch.rows for ask in asks]
    firsts = np.cumsum([0, *counts[:-1]])
    keys = [column.take(firsts) for column in batch.entity_keys]
    return np.repeat(assign(batch.endpoint, keys, [ids[row] for row in firsts.tolist()], routes), counts)
