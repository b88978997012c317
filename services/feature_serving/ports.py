"""What feature serving's engine needs from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.feature_serving.domain.view import FeatureView, StoreState
from slipway.paging import Page


class Reader(Protocol):
    """One consistent view of the catalogue."""

    async def named(self, names: Sequence[str]) -> Mapping[str, FeatureView]:
        """The views of those names that exist, by name."""
        ...

    async def views(self, page: Page) -> Sequence[FeatureView]:
        """Up to ``page.fetch`` views by name."""
        ...


class Writer(Reader, Protocol):
    """The one writing transaction: all of it commits or none."""

    async def put(self, view: FeatureView) -> None:
        """Store a view in place of the one of its name."""
        ...


class Catalogue(Protocol):
    """Every feature view."""

    def read(self) -> AbstractAsyncContextManager[Reader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[Writer]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...


class OnlineStore(Protocol):
    """Where feature values are read from while serving."""

    async def state(self) -> StoreState:
        """How it stands just now. Never raises for a store that is down or slow: it says so, within a second."""
        ...
