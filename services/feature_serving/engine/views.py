"""Storing, finding and listing feature views."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.feature_serving.domain.errors import FeatureInUse, FeatureViewNotFound
from services.feature_serving.domain.rules import changed, check_definitions, dropped
from services.feature_serving.domain.service import Reference
from services.feature_serving.domain.view import Definition, FeatureView
from services.feature_serving.ports.catalogue import Catalogue
from slipway import paging
from slipway.clock import Clock
from slipway.naming import identifier


class Views:
    """Views by name; ``on_change`` is told after each change."""

    def __init__(self, catalogue: Catalogue, clock: Clock, on_change: Callable[[], None]) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._on_change = on_change

    async def apply(self, definitions: Sequence[Definition]) -> Sequence[FeatureView]:
        """Store all definitions or none; the views after it, in the same order.

        Raises InvalidInput, FeatureTypeChanged, EntitiesChanged, AggregationChanged, FeatureInUse.
        """
        check_definitions(definitions)
        async with self._catalogue.write() as catalogue:
            stored = await catalogue.named([definition.name for definition in definitions])
            now = self._clock.now()
            views = [changed(stored.get(definition.name), definition, now) for definition in definitions]
            users = await catalogue.users([view.name for view in views])
            for definition in definitions:
                for feature in dropped(stored.get(definition.name), definition):
                    if service := users.get(Reference(definition.name, feature)):
                        raise FeatureInUse(definition.name, feature, service)
            for view in views:
                if view is not stored.get(view.name):
                    await catalogue.put(view)
        self._on_change()
        return views

    async def get(self, name: str) -> FeatureView:
        """Find one view. Raises FeatureViewNotFound."""
        identifier("name", name)
        async with self._catalogue.read() as catalogue:
            found = await catalogue.named([name])
        if name not in found:
            raise FeatureViewNotFound(name)
        return found[name]

    async def list(self, size: int, token: str) -> paging.Slice[FeatureView]:
        """A page of views by name."""
        page = paging.parse(size, token, (str,))
        async with self._catalogue.read() as catalogue:
            rows = await catalogue.views(page)
        return paging.cut(rows, page, lambda view: (view.name,))
