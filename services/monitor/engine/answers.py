"""Answering what was counted, as of what was consumed."""

from __future__ import annotations

from collections.abc import Sequence

from services.monitor.domain.coverage import Coverage
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from services.monitor.ports import Windows
from slipway import paging
from slipway.naming import resource_name

_KEY = (int, str, str, int, str, int)


class Answers:
    """Windows and their sums, and how far labels have come."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    async def windows(self, span: Span, size: int, token: str) -> paging.Slice[PredictionWindow]:
        """A page of windows, oldest first. Raises InvalidInput."""
        span.check()
        page = paging.parse(size, token, _KEY)
        async with self._windows.read() as windows:
            rows = await windows.windows(span, page)
        return paging.cut(rows, page, _key)

    async def counts(self, span: Span) -> Sequence[VersionCount]:
        """An endpoint's predictions by version; none of an endpoint that was never seen. Raises InvalidInput."""
        resource_name("endpoint", span.endpoint)
        span.check()
        async with self._windows.read() as windows:
            return await windows.counts(span)

    async def performance(self, span: Span, size: int, token: str) -> paging.Slice[PerformanceWindow]:
        """A page of performance windows, oldest first. Raises InvalidInput."""
        span.check()
        page = paging.parse(size, token, _KEY)
        async with self._windows.read() as windows:
            rows = await windows.performance(span, page)
        return paging.cut(rows, page, _performance_key)

    async def coverage(self, span: Span) -> Sequence[Coverage]:
        """How far labels have come, by endpoint; the one that was asked for is always there. Raises InvalidInput."""
        span.check()
        async with self._windows.read() as windows:
            found = await windows.coverage(span)
        return found or ([Coverage(span.endpoint)] if span.endpoint else [])


def _performance_key(window: PerformanceWindow) -> paging.Key:
    arm = window.key.arm
    return (window.key.start_us, arm.endpoint, arm.model, arm.version, arm.route, window.key.end_us)


def _key(window: PredictionWindow) -> paging.Key:
    arm = window.arm
    return (window.start_us, arm.endpoint, arm.model, arm.version, arm.route, window.end_us)
