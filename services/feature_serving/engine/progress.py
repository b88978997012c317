"""How far views have come."""

from __future__ import annotations

from services.feature_serving.domain.errors import WatermarkNotFound
from services.feature_serving.domain.watermark import Watermark
from services.feature_serving.engine.compiled import Compiled
from services.feature_serving.ports import Watermarks
from slipway import paging


class Progress:
    """The views' watermarks."""

    def __init__(self, compiled: Compiled, watermarks: Watermarks) -> None:
        self._compiled = compiled
        self._watermarks = watermarks

    async def get(self, view: str) -> Watermark:
        """One view's. Raises InvalidInput, FeatureViewNotFound, WatermarkNotFound."""
        await self._compiled.view(view, "view")
        found = await self._watermarks.get(view)
        if found is None:
            raise WatermarkNotFound(view)
        return found

    async def list(self, size: int, token: str) -> paging.Slice[Watermark]:
        """A page of them by view."""
        page = paging.parse(size, token, (str,))
        return paging.cut(await self._watermarks.page(page), page, lambda watermark: (watermark.view,))
