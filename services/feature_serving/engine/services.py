"""Storing, finding and listing feature services."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.feature_serving.domain.errors import FeatureServiceNotFound
from services.feature_serving.domain.service import (
    FeatureService,
    ServiceDefinition,
    changed_service,
    check_services,
    resolve,
)
from services.feature_serving.ports.catalogue import Catalogue
from slipway import paging
from slipway.clock import Clock
from slipway.naming import identifier


class Services:
    """Feature services by name; ``on_change`` is told after each change."""

    def __init__(self, catalogue: Catalogue, clock: Clock, on_change: Callable[[], None]) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._on_change = on_change

    async def apply(self, definitions: Sequence[ServiceDefinition]) -> Sequence[FeatureService]:
        """Store all definitions or none; the feature services after it, in the same order.

        Raises InvalidInput, FeatureViewNotFound, FeatureNotFound.
        """
        check_services(definitions)
        wanted = {one.view for definition in definitions for one in definition.features}
        async with self._catalogue.write() as catalogue:
            views = await catalogue.named(sorted(wanted))
            for position, definition in enumerate(definitions):
                resolve(f"services[{position}].features", definition.features, views)
            stored = await catalogue.services_named([definition.name for definition in definitions])
            now = self._clock.now()
            services = [changed_service(stored.get(one.name), one, now) for one in definitions]
            for service in services:
                if service is not stored.get(service.name):
                    await catalogue.put_service(service)
        self._on_change()
        return services

    async def get(self, name: str) -> FeatureService:
        """Find one feature service. Raises FeatureServiceNotFound."""
        identifier("name", name)
        async with self._catalogue.read() as catalogue:
            found = await catalogue.services_named([name])
        if name not in found:
            raise FeatureServiceNotFound(name, "name")
        return found[name]

    async def list(self, size: int, token: str) -> paging.Slice[FeatureService]:
        """A page of feature services by name."""
        page = paging.parse(size, token, (str,))
        async with self._catalogue.read() as catalogue:
            rows = await catalogue.services(page)
        return paging.cut(rows, page, lambda service: (service.name,))
