"""How far views have come, told."""

from __future__ import annotations

from collections.abc import Sequence

from services.feature_serving.domain.errors import WatermarkNotFound
from services.feature_serving.domain.watermark import Watermark
from services.feature_serving.engine.compiled import Compiled
from services.feature_serving.engine.reached import Reached
from services.feature_serving.ports.written import Watermarks
from slipway import paging
from slipway.errors import invalid_field

_MOST_VIEWS = 500
_PATIENCE_S = 5.0


class Progress:
    """The views' watermarks."""

    def __init__(self, compiled: Compiled, watermarks: Watermarks, reached: Reached) -> None:
        self._compiled = compiled
        self._watermarks = watermarks
        self._reached = reached

    async def get(self, view: str) -> Watermark:
        """One view's. Raises InvalidInput, FeatureViewNotFound, WatermarkNotFound."""
        await self._compiled.view(view, "view")
        found = (await self._watermarks.several([view])).get(view)
        if found is None:
            raise WatermarkNotFound(view)
        return found

    async def passed(self, views: Sequence[str], moment_us: int) -> bool:
        """Whether all of the views have come to a moment, in microseconds since 1970; waits some seconds for it.

        Raises InvalidInput, FeatureViewNotFound, naming the field.
        """
        if not 0 < len(views) <= _MOST_VIEWS:
            raise invalid_field("views", f"names {len(views)} views; name 1 to {_MOST_VIEWS}")
        if moment_us <= 0:
            raise invalid_field("event_time_us", "must be microseconds since 1970, more than 0")
        for n, view in enumerate(views):
            await self._compiled.view(view, f"views[{n}]")
        return await self._reached.passed(views, moment_us, _PATIENCE_S)

    async def list(self, size: int, token: str) -> paging.Slice[Watermark]:
        """A page of them by view."""
        page = paging.parse(size, token, (str,))
        return paging.cut(await self._watermarks.page(page), page, lambda watermark: (watermark.view,))
