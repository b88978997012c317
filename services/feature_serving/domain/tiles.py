"""A windowed view's tiles: one partial result an entity, hop and column, sorted by time; and the values they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from services.feature_serving.domain import windows
from services.feature_serving.domain.view import Definition
from services.feature_serving.domain.windows import Floats, Whole

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Tile:
    """What is stored of one tile: for each column the five numbers of its partial."""

    start_us: int
    entity: bytes
    partials: Floats


class Tiles:
    """All tiles of one view that a window still reaches.

    Rows lie in the order of their hops; those that come last are appended, so that the usual case costs nothing.
    """

    def __init__(self, definition: Definition) -> None:
        assert definition.hop is not None  # noqa: S101  (a windowed view has one)
        self.columns = definition.columns
        self.hop_us = definition.hop // _MICROSECOND
        self.longest_us = max(one.window for one in definition.aggregations) // _MICROSECOND
        self._aggregations = [
            (one.function, self.columns.index(one.column), one.window // _MICROSECOND)
            for one in definition.aggregations
        ]
        self._entities: dict[bytes, int] = {}
        self._names: list[bytes] = []
        self._starts: Whole = np.empty(0, np.int64)
        self._owners: Whole = np.empty(0, np.int64)
        self._partials: Floats = windows.empty(len(self.columns), 0)
        # Whose values must be made anew at the next boundary, beside those whose events come into a window or leave.
        self._touched: Whole = np.empty(0, np.int64)
        self._unsure = True

    def load(self, tiles: Iterable[Tile]) -> None:
        """Take up what was stored; every value counts as changed, for nobody knows what has been written of it."""
        found = list(tiles)
        owners = self._numbered([one.entity for one in found])
        partials = [one.partials for one in found]
        stacked = np.stack(partials, axis=-1) if partials else windows.empty(len(self.columns), 0)
        self._insert(np.array([one.start_us for one in found], np.int64), owners, stacked)

    def absorb(self, entities: Sequence[bytes], times_us: Whole, values: Floats, boundary_us: int) -> Sequence[Tile]:
        """Merge events in; the tiles as they are after it. ``values`` are of shape (columns, events)."""
        owners = self._numbered(entities)
        starts = times_us - times_us % self.hop_us
        pairs, groups = np.unique(np.stack([starts, owners]), axis=1, return_inverse=True)
        fresh = windows.merge(windows.lift(values), groups.reshape(-1), pairs.shape[1])
        at = self._find(pairs[0], pairs[1])
        known = at >= 0
        old = fresh.copy()
        old[:, :, known] = self._partials[:, :, at[known]]
        old[:, :, ~known] = windows.empty(len(self.columns), int((~known).sum()))
        size = pairs.shape[1]
        merged = windows.merge(np.concatenate([old, fresh], axis=2), np.tile(np.arange(size), 2), size)
        self._partials[:, :, at[known]] = merged[:, :, known]
        self._insert(pairs[0][~known], pairs[1][~known], merged[:, :, ~known])
        late = pairs[1][pairs[0] < boundary_us]
        self._touched = np.union1d(self._touched, late)
        return [Tile(int(pairs[0][n]), self._names[pairs[1][n]], merged[:, :, n]) for n in range(size)]

    def values(self, before_us: int, boundary_us: int) -> tuple[Sequence[bytes], Sequence[Floats]]:
        """The entities whose values may differ at ``boundary_us`` from those at ``before_us``, and their values there.

        One array an aggregation; NaN is a null. An entity that no window reaches any more is among them once.
        """
        wanted = np.flatnonzero(self._changed(before_us, boundary_us))
        place = np.full(len(self._names), -1, np.int64)
        place[wanted] = np.arange(len(wanted))
        first, end = np.searchsorted(self._starts, [boundary_us - self.longest_us, boundary_us])
        rows = first + np.flatnonzero(place[self._owners[first:end]] >= 0)
        starts, groups, partials = self._starts[rows], place[self._owners[rows]], self._partials[:, :, rows]
        merged: dict[tuple[int, int], Floats] = {}
        for _, column, window_us in self._aggregations:
            if (column, window_us) not in merged:
                since = int(np.searchsorted(starts, boundary_us - window_us))
                part = partials[column : column + 1, :, since:]
                merged[column, window_us] = windows.merge(part, groups[since:], len(wanted))[0]
        made = [windows.finalise(merged[column, reach], function) for function, column, reach in self._aggregations]
        return [self._names[n] for n in wanted], made

    def settle(self, boundary_us: int) -> int | None:
        """The values at the boundary are written: forget what no later one needs, once that is much.

        Where tiles were forgotten: those of hops that started before then.
        """
        self._touched = np.empty(0, np.int64)
        self._unsure = False
        oldest_us = boundary_us - self.longest_us - self.hop_us
        gone = int(np.searchsorted(self._starts, oldest_us))
        # Copying all to forget a few would cost more than keeping them.
        if gone * 4 <= len(self._starts):
            return None
        self._starts, self._owners = self._starts[gone:], self._owners[gone:]
        self._partials = self._partials[:, :, gone:].copy()
        return oldest_us

    def _changed(self, before_us: int, boundary_us: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        found = np.zeros(len(self._names), np.bool_)
        if self._unsure:
            found[self._owners[: np.searchsorted(self._starts, boundary_us)]] = True
            return found
        for back_us in {0, *(window_us for _, _, window_us in self._aggregations)}:
            first, end = np.searchsorted(self._starts, [before_us - back_us, boundary_us - back_us])
            found[self._owners[first:end]] = True
        found[self._touched] = True
        return found

    def _numbered(self, entities: Sequence[bytes]) -> Whole:
        for one in entities:
            if one not in self._entities:
                self._entities[one] = len(self._names)
                self._names.append(one)
        return np.array([self._entities[one] for one in entities], np.int64)

    def _find(self, starts: Whole, owners: Whole) -> Whole:
        """Where each pair of hop and entity lies, -1 where it is new."""
        found = np.full(len(starts), -1, np.int64)
        for start in np.unique(starts):
            first, end = np.searchsorted(self._starts, [start, start + 1])
            there = self._owners[first:end]
            if len(there):
                asked = np.flatnonzero(starts == start)
                order = np.argsort(there)
                near = np.minimum(np.searchsorted(there, owners[asked], sorter=order), len(there) - 1)
                same = there[order[near]] == owners[asked]
                found[asked[same]] = first + order[near[same]]
        return found

    def _insert(self, starts: Whole, owners: Whole, partials: Floats) -> None:
        if not len(starts):
            return
        later = len(self._starts) == 0 or starts.min() >= self._starts[-1]
        self._starts = np.concatenate([self._starts, starts])
        self._owners = np.concatenate([self._owners, owners])
        self._partials = np.concatenate([self._partials, partials], axis=2)
        if not later or np.any(np.diff(starts) < 0):
            order = np.argsort(self._starts, kind="stable")
            self._starts, self._owners = self._starts[order], self._owners[order]
            self._partials = self._partials[:, :, order]
