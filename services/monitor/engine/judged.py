"""Answering what was judged: features, incidents, verdicts, comparisons, progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.monitor.domain.comparison import Comparison, compare
from services.monitor.domain.feature import FeatureCounts, FeatureWindow, VersionWindow, told
from services.monitor.domain.incident import Incident
from services.monitor.domain.progress import Progress
from services.monitor.domain.verdict import Verdict
from services.monitor.domain.window import Span
from services.monitor.engine.baselines import Baselines
from services.monitor.ports import Reader, Windows
from slipway import paging
from slipway.errors import invalid_field
from slipway.naming import resource_name

_PIECE = 50
_FEATURE_KEY = (int, str, str, int, int, str)


@dataclass(frozen=True, slots=True)
class FeatureQuery:
    """Which features' windows: of all when ``feature`` is empty."""

    span: Span
    feature: str = ""
    drifted_only: bool = False

    def takes(self, window: FeatureWindow) -> bool:
        """Whether a window is asked for."""
        return self.feature in {"", window.feature} and (window.drifted or not self.drifted_only)


class Judged:
    """What came of judging, as of what was consumed. ``drift_floor`` is the least distance worth telling."""

    def __init__(self, windows: Windows, baselines: Baselines, drift_floor: float) -> None:
        self._windows = windows
        self._baselines = baselines
        self._floor = drift_floor

    async def features(self, query: FeatureQuery, size: int, token: str) -> paging.Slice[FeatureWindow]:
        """A page of feature windows, oldest first. Raises InvalidInput."""
        query.span.check()
        page = paging.parse(size, token, _FEATURE_KEY)
        found: list[FeatureWindow] = []
        seen = page.after
        async with self._windows.read() as windows:
            while len(found) < page.fetch:
                piece = await windows.features(query.span, _window_of(seen), _PIECE)
                for window, counts in piece:
                    features = await self._told(windows, window, counts)
                    fresh = [one for one in features if seen is None or _feature_key(one) > seen]
                    found += filter(query.takes, fresh)
                    seen = _feature_key(features[-1])
                if len(piece) < _PIECE:
                    break
        return paging.cut(found[: page.fetch], page, _feature_key)

    async def _told(self, windows: Reader, window: VersionWindow, counts: FeatureCounts) -> Sequence[FeatureWindow]:
        baselines = await self._baselines.of(windows, [(window.model, window.version)])
        return list(told(window, counts, baselines[window.model, window.version], self._floor))

    async def incidents(self, endpoint: str, size: int, token: str, *, open_only: bool) -> paging.Slice[Incident]:
        """A page of incidents, newest first. Raises InvalidInput."""
        page = _page(endpoint, size, token)
        async with self._windows.read() as windows:
            rows = await windows.incidents(endpoint, page, open_only=open_only)
        found = paging.cut(rows, page, lambda row: (row[0],))
        return paging.Slice([incident for _, incident in found.rows], found.next_token)

    async def verdicts(self, endpoint: str, size: int, token: str) -> paging.Slice[Verdict]:
        """A page of verdicts, newest first. Raises InvalidInput."""
        page = _page(endpoint, size, token)
        async with self._windows.read() as windows:
            rows = await windows.verdicts(endpoint, page)
        found = paging.cut(rows, page, lambda row: (row[0],))
        return paging.Slice([verdict for _, verdict in found.rows], found.next_token)

    async def compare(self, span: Span, model: str, version: int, other: int) -> Comparison:
        """Two versions on the labelled predictions that both scored. Raises InvalidInput."""
        resource_name("endpoint", span.endpoint)
        span.check()
        resource_name("model", model)
        for field, number in (("version", version), ("other_version", other)):
            if number < 1:
                raise invalid_field(field, "is 0; give a version's number")
        if version == other:
            raise invalid_field("other_version", f"is {other} as version is; give another one")
        async with self._windows.read() as windows:
            rows = await windows.scored_by_both(span, model, version, other)
        return compare(rows)

    async def progress(self, endpoint: str) -> Progress:
        """How far an endpoint has come. Raises InvalidInput."""
        resource_name("endpoint", endpoint)
        async with self._windows.read() as windows:
            return await windows.progress(endpoint)


def _page(endpoint: str, size: int, token: str) -> paging.Page:
    if endpoint:
        resource_name("endpoint", endpoint)
    return paging.parse(size, token, (int,))


def _feature_key(one: FeatureWindow) -> paging.Key:
    window = one.window
    return (window.start_us, window.endpoint, window.model, window.version, window.end_us, one.feature)


def _window_of(key: paging.Key | None) -> VersionWindow | None:
    if key is None:
        return None
    start_us, endpoint, model, version, end_us, _ = key
    return VersionWindow(str(endpoint), str(model), int(version), int(start_us), int(end_us))
