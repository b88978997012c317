"""What feature serving's engine needs from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.feature_serving.domain.reading import Found, Lookup
from services.feature_serving.domain.rows import Batch, Row
from services.feature_serving.domain.service import FeatureService, Reference
from services.feature_serving.domain.view import FeatureView, StoreState
from services.feature_serving.domain.watermark import Watermark
from slipway.paging import Page


class Reader(Protocol):
    """One consistent view of the catalogue."""

    async def named(self, names: Sequence[str]) -> Mapping[str, FeatureView]:
        """The views of those names that exist, by name."""
        ...

    async def views(self, page: Page) -> Sequence[FeatureView]:
        """Up to ``page.fetch`` views by name."""
        ...

    async def services_named(self, names: Sequence[str]) -> Mapping[str, FeatureService]:
        """The feature services of those names that exist, by name."""
        ...

    async def services(self, page: Page) -> Sequence[FeatureService]:
        """Up to ``page.fetch`` feature services by name."""
        ...

    async def users(self, views: Sequence[str]) -> Mapping[Reference, str]:
        """The features of those views that some feature service names, with the first such service's name."""
        ...


class Writer(Reader, Protocol):
    """The one writing transaction: all of it commits or none."""

    async def put(self, view: FeatureView) -> None:
        """Store a view in place of the one of its name."""
        ...

    async def put_service(self, service: FeatureService) -> None:
        """Store a feature service in place of the one of its name."""
        ...


class Catalogue(Protocol):
    """Every feature view and feature service."""

    def read(self) -> AbstractAsyncContextManager[Reader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[Writer]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...


class Watermarks(Protocol):
    """How far each view has come; it never goes back."""

    async def raise_to(self, watermarks: Sequence[Watermark]) -> None:
        """Store those that are higher than what is stored for their view."""
        ...

    async def get(self, view: str) -> Watermark | None:
        """One view's."""
        ...

    async def page(self, page: Page) -> Sequence[Watermark]:
        """Up to ``page.fetch`` of them by view."""
        ...


class OnlineStore(Protocol):
    """Where feature values are while serving.

    All but ``state`` raise OnlineStoreUnavailable, and ForeignData when a key holds something else.
    """

    async def state(self) -> StoreState:
        """How it stands just now. Never raises for a store that is down or slow: it says so, within a second."""
        ...

    async def read(self, asked: Sequence[Lookup]) -> Sequence[Sequence[Found]]:
        """What each lookup finds, key by key, in one round trip however many there are."""
        ...

    async def stamps(self, keys: Sequence[bytes], field: bytes) -> Found:
        """One field of many keys."""
        ...

    async def swap(self, batch: Batch, rows: Sequence[Row], expected: Found) -> Sequence[bool]:
        """Write each row unless its event time is no longer the ``expected`` one; which were written.

        Every row is written whole or not at all, and no other writer comes between comparing and writing.
        """
        ...


class Meters(Protocol):
    """What operators watch."""

    def written(self, applied: int, late: int) -> None:
        """So many rows took effect, and so many did not."""
        ...

    def dead_lettered(self) -> None:
        """An event could not be used."""
        ...
