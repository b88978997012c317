"""What windowed views' events have left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from services.feature_serving.domain.advance import Change, Standing
from services.feature_serving.domain.tiles import Tile
from services.feature_serving.domain.watermark import Watermark


class WindowReader(Protocol):
    """One snapshot of what windowed views' events have left behind."""

    async def standings(self, views: Sequence[str]) -> Mapping[str, Standing]:
        """Where each of the views stands."""
        ...

    async def tiles(self, view: str, columns: Sequence[str]) -> Sequence[Tile]:
        """All that is stored of a view, with the partials of those columns in that order."""
        ...

    async def unfinished(self) -> Sequence[str]:
        """The views whose events are complete further than their values have come."""
        ...


class WindowWriter(WindowReader, Protocol):
    """The one writing transaction."""

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """Those of the ids that nobody claimed before; from here on they are claimed."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop the ids claimed before then; how many."""
        ...

    async def put(self, changes: Sequence[Change], now: datetime) -> None:
        """Store each tile in place of the one of its hop and entity, and where the views stand."""
        ...

    async def reach(self, watermarks: Sequence[Watermark]) -> None:
        """Raise the views' watermarks; a lower one changes nothing."""
        ...

    async def trim(self, before_us: Mapping[str, int]) -> None:
        """Forget, of each view, the tiles of hops that started before then."""
        ...


class Windows(Protocol):
    """What windowed views' events have left behind."""

    def read(self) -> AbstractAsyncContextManager[WindowReader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[WindowWriter]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...
