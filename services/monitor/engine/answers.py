"""Answering what was counted, as of what was consumed."""

from __future__ import annotations

from collections.abc import Sequence

from services.monitor.domain.window import PredictionWindow, Span, VersionCount
from services.monitor.ports import Windows
from slipway import paging
from slipway.naming import resource_name

_KEY = (int, str, str, int, str, int)


class Answers:
    """Windows and their sums."""

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


def _key(window: PredictionWindow) -> paging.Key:
    arm = window.arm
    return (window.start_us, arm.endpoint, arm.model, arm.version, arm.route, window.end_us)
