"""Requests of one endpoint and one layout, taken in together: which arm gets which rows of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.columns import Array, Column
from services.inference_gateway.domain.features import Online, unread
from services.inference_gateway.domain.merge import merged
from services.inference_gateway.domain.routing import assign
from services.inference_gateway.domain.signature import Signature
from services.inference_gateway.engine.arm import Arm, named
from services.inference_gateway.engine.ask import Ask, each
from services.inference_gateway.engine.bundle import Bundle
from services.inference_gateway.engine.chunk import Chunk, Share
from services.inference_gateway.engine.prepare import prepare

_FIRST = np.zeros(1, dtype=np.int64)


@dataclass(slots=True)
class Wave:
    """The requests, their rows as one batch, the endpoint's arms of one moment, and which of them answers what.

    Of ``parts`` the rows are indices into the batch, ascending, or None for all of them. ``pieces`` are those of
    bundles that several arms answer, by the bundle and its arm's name.
    """

    asks: Sequence[Ask]
    batch: Batch
    ids: tuple[str, ...]
    marks: tuple[bytes, ...]
    arms: Sequence[Arm]
    parts: Sequence[tuple[Arm, Array | None]]
    pieces: Mapping[tuple[Ask, str], Ask] = field(default_factory=dict)

    @classmethod
    def of(cls, asks: Sequence[Ask], arms: Sequence[Arm]) -> Wave:
        """The wave of requests of one layout. Raises VersionNotServed for a version that they name."""
        answering = named(asks[0].batch.endpoint, arms, asks[0].version) if asks[0].version else arms
        live = _live(answering)
        batch = merged([ask.batch for ask in asks], [ask.began_s for ask in asks])
        if len(asks) == 1:
            ids, marks = asks[0].ids, asks[0].marks
        else:
            ids = tuple(chain.from_iterable([ask.ids for ask in asks]))
            marks = tuple(chain.from_iterable([ask.marks for ask in asks]))
        if len(live) == 1:
            return cls(asks, batch, ids, marks, arms, [(live[0], None)])
        chosen = _assigned(asks, batch, ids, live)
        if len(asks) == 1 and (chosen[0] == chosen).all():
            return cls(asks, batch, ids, marks, arms, [(live[chosen[0]], None)])
        asks, pieces = _divided(asks, chosen, live)
        return cls(asks, batch, ids, marks, arms, _split(asks, chosen, live), pieces)

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
        shares = self._shares(arm, rows, alone)
        [(one, _, places), *others] = shares
        if isinstance(one, Bundle) and places is None and not others and alone is None:
            # What it has is these very rows.
            batch, ids = one.batch, one.ids
            return prepare(arm, batch, ids, (), shares, online=online, rows=rows, shadows=shadows, may_lack=True)
        part = self.batch.take(rows)
        chosen = rows.tolist()
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

    def _shares(self, arm: Arm, rows: Array, alone: Ask | None) -> list[Share]:
        if alone is not None:
            return [Share(ask, len(own), places) for ask, own, places in self.by_ask(rows) if ask is alone]
        shares: list[Share] = []
        for ask, own, places in _of_each(self.asks, rows):
            piece = self.pieces.get((ask, arm.route.name))
            shares.append(Share(ask, len(own), places) if piece is None else Share(piece, piece.rows))
        return shares

    def by_ask(self, rows: Array | None) -> Iterator[tuple[Ask, Array, Array | None]]:
        """The same rows request by request, and their numbers in the request: None for all of it."""
        yield from _of_each(each(self.asks), np.arange(self.batch.rows) if rows is None else rows)


def _of_each(asks: Sequence[Ask], rows: Array) -> Iterator[tuple[Ask, Array, Array | None]]:
    start = 0
    for ask in asks:
        own = rows[np.searchsorted(rows, start) : np.searchsorted(rows, start + ask.rows)]
        if len(own):
            yield ask, own, None if len(own) == ask.rows else own - start
        start += ask.rows


def _live(arms: Sequence[Arm]) -> Sequence[Arm]:
    if len(arms) == 1:
        return arms
    return [arm for arm in arms if arm.route.weight] or arms[:1]


def _divided(
    asks: Sequence[Ask], chosen: Array, live: Sequence[Arm]
) -> tuple[Sequence[Ask], Mapping[tuple[Ask, str], Ask]]:
    """The requests, bundles whose requests have rows for several arms each taken apart; and the pieces of others."""
    found: list[Ask] = []
    pieces: dict[tuple[Ask, str], Ask] = {}
    start = 0
    for ask in asks:
        places = chosen[start : start + ask.rows]
        start += ask.rows
        if not isinstance(ask, Bundle) or ask.requests == 1 or (places == places[0]).all():
            found.append(ask)
            continue
        by_request = places.reshape(ask.requests, -1)
        firsts = by_request[:, 0]
        if (by_request != firsts[:, None]).any():
            found += ask.apart()
            continue
        found.append(ask)
        arms = np.flatnonzero(np.bincount(firsts)).tolist()
        groups = ask.divided([np.flatnonzero(firsts == place).tolist() for place in arms])
        pieces |= {(ask, live[place].route.name): piece for place, piece in zip(arms, groups, strict=True)}
    return found, pieces


def _split(asks: Sequence[Ask], chosen: Array, live: Sequence[Arm]) -> list[tuple[Arm, Array | None]]:
    parts = [(arm, np.flatnonzero(chosen == place)) for place, arm in enumerate(live)]
    found: list[tuple[Arm, Array | None]] = [(arm, rows) for arm, rows in parts if len(rows)]
    if len(found) == 1:
        return [(found[0][0], None)]
    start = 0
    for ask in asks:
        if ask.requests == 1:
            ask.left = 1 if ask.rows == 1 else len(np.unique(chosen[start : start + ask.rows]))
        start += ask.rows
    return found


def _assigned(asks: Sequence[Ask], batch: Batch, ids: tuple[str, ...], live: Sequence[Arm]) -> Array:
    """Each row's arm; of requests that one version must answer, all rows go where the first one goes."""
    if not asks[0].whole:
        return _of_rows(batch, ids, None, live)
    if len(batch.origins) == 1:
        return _of_rows(batch, ids, _FIRST, live)  # it stands for all
    counts = [origin.rows for origin in batch.origins]
    return np.repeat(_of_rows(batch, ids, np.cumsum([0, *counts[:-1]]), live), counts)


def _of_rows(batch: Batch, ids: Sequence[str], rows: Array | None, live: Sequence[Arm]) -> Array:
    """The places of the arms that some rows fall to, each for itself; None: all rows."""
    keys: Sequence[Column] = batch.entity_keys
    if rows is not None:
        keys, ids = [column.take(rows) for column in keys], [ids[row] for row in rows.tolist()]
    return assign(batch.endpoint, keys, ids, [arm.route for arm in live])
