"""Which views and feature services there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.feature_serving.domain.service import FeatureService, Reference
from services.feature_serving.domain.view import FeatureView
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
