"""What is kept of the rows that were written, beside their values: how far they have come, and they themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from services.feature_serving.domain.rows import Batch, Rows
from services.feature_serving.domain.watermark import Watermark
from slipway.paging import Page


class Watermarks(Protocol):
    """How far each view has come; it never goes back."""

    async def raise_to(self, watermarks: Sequence[Watermark]) -> None:
        """Store those that are higher than what is stored for their view."""
        ...

    async def several(self, views: Sequence[str]) -> Mapping[str, Watermark]:
        """Those of the views that have one."""
        ...

    async def page(self, page: Page) -> Sequence[Watermark]:
        """Up to ``page.fetch`` of them by view."""
        ...


class Pushed(Protocol):
    """The newest row of each entity that came by a call, for no log has it."""

    async def keep(self, view: str, batch: Batch, watermarks: Sequence[Watermark]) -> None:
        """Store the rows that are not older than what is stored of their entities, and raise the watermarks."""
        ...

    def batches(self) -> AsyncIterator[Batch]:
        """All that are stored."""
        ...


class Past(Protocol):
    """Rows that were published before."""

    def rows(self) -> AsyncIterator[Rows]:
        """All that are kept, each entity's in their order; those that no view takes are among them."""
        ...
