"""What reads and writes need of the catalogue, kept ready: views, and plans of what is asked again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from services.feature_serving.domain.errors import FeatureServiceNotFound, FeatureViewNotFound
from services.feature_serving.domain.reading import Plan, compile_plan
from services.feature_serving.domain.service import Reference, check_references
from services.feature_serving.domain.view import FeatureView
from services.feature_serving.ports.catalogue import Catalogue
from slipway.clock import Clock
from slipway.errors import invalid_field
from slipway.naming import identifier

_MOST = 1_000


class Compiled:
    """Answers from memory for ``keep_s`` seconds: another process may change the same catalogue.

    This process's own changes are told by :meth:`forget` and count at once. What does not exist is not remembered.
    """

    def __init__(self, catalogue: Catalogue, clock: Clock, keep_s: float = 1.0) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._keep_s = keep_s
        self._kept: dict[object, tuple[float, Plan]] = {}
        self._views: dict[str, tuple[float, FeatureView]] = {}

    def forget(self) -> None:
        """Ask the catalogue again from here on."""
        # New dicts, so that an answer under way, which may be of before the change, lands in an old one.
        self._kept, self._views = {}, {}

    async def view(self, name: str, field: str) -> FeatureView:
        """One view. Raises InvalidInput and FeatureViewNotFound naming ``field``."""
        identifier(field, name)
        kept, now = self._views, self._clock.monotonic()
        if name not in kept or now - kept[name][0] >= self._keep_s:
            # Whoever needs one view again needs the others soon: one question for all of them.
            found = await self._find_views({name, *kept})
            kept.clear()
            kept.update({one: (now, view) for one, view in list(found.items())[:_MOST]})
            if name not in found:
                raise FeatureViewNotFound(name, field)
            return found[name]
        return kept[name][1]

    async def plan(self, service: str, references: Sequence[Reference]) -> Plan:
        """How to read a feature service, or the features named. Raises InvalidInput, NotFound, naming the field."""
        if service and references:
            raise invalid_field("features", "is given beside feature_service; give one of the two")
        if service:
            identifier("feature_service", service)
            return await self._remembered(("service", service), lambda: self._of_service(service))
        check_references("features", references)
        return await self._remembered(tuple(references), lambda: self._of_references("features", references))

    async def _find_views(self, names: Iterable[str]) -> Mapping[str, FeatureView]:
        async with self._catalogue.read() as catalogue:
            return await catalogue.named(sorted(names))

    async def _of_service(self, name: str) -> Plan:
        async with self._catalogue.read() as catalogue:
            found = await catalogue.services_named([name])
        if name not in found:
            raise FeatureServiceNotFound(name, "feature_service")
        return await self._of_references("feature_service.features", found[name].definition.features)

    async def _of_references(self, path: str, references: Sequence[Reference]) -> Plan:
        views = await self._find_views({one.view for one in references})
        return compile_plan(path, references, views)

    async def _remembered(self, key: object, find: Callable[[], Awaitable[Plan]]) -> Plan:
        kept, now = self._kept, self._clock.monotonic()
        if key in kept and now - kept[key][0] < self._keep_s:
            return kept[key][1]
        found = await find()
        if len(kept) >= _MOST:
            kept.clear()
        kept[key] = (now, found)
        return found
