"""What reads and writes need of the catalogue, kept ready: views, and plans of what is asked again and again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

from services.feature_serving.domain.errors import FeatureServiceNotFound, FeatureViewNotFound
from services.feature_serving.domain.reading import Plan, compile_plan
from services.feature_serving.domain.service import Reference, check_references
from services.feature_serving.domain.view import FeatureView
from services.feature_serving.ports import Catalogue
from slipway.clock import Clock
from slipway.errors import invalid_field
from slipway.naming import identifier

T = TypeVar("T")
_MOST = 1_000


class Compiled:
    """Answers from memory for ``keep_s`` seconds: another process may change the same catalogue.

    This process's own changes are told by :meth:`forget` and count at once. What does not exist is not remembered.
    """

    def __init__(self, catalogue: Catalogue, clock: Clock, keep_s: float = 1.0) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._keep_s = keep_s
        self._kept: dict[object, tuple[float, object]] = {}

    def forget(self) -> None:
        """Ask the catalogue again from here on."""
        # A new dict, so that an answer under way, which may be of before the change, lands in the old one.
        self._kept = {}

    async def view(self, name: str, field: str) -> FeatureView:
        """One view. Raises InvalidInput and FeatureViewNotFound naming ``field``."""
        identifier(field, name)
        return await self._remembered(("view", name), lambda: self._find_view(name, field))

    async def plan(self, service: str, references: Sequence[Reference]) -> Plan:
        """How to read a feature service, or the features named. Raises InvalidInput, NotFound, naming the field."""
        if service and references:
            raise invalid_field("features", "is given beside feature_service; give one of the two")
        if service:
            identifier("feature_service", service)
            return await self._remembered(("service", service), lambda: self._of_service(service))
        check_references("features", references)
        return await self._remembered(tuple(references), lambda: self._of_references("features", references))

    async def _find_view(self, name: str, field: str) -> FeatureView:
        async with self._catalogue.read() as catalogue:
            found = await catalogue.named([name])
        if name not in found:
            raise FeatureViewNotFound(name, field)
        return found[name]

    async def _of_service(self, name: str) -> Plan:
        async with self._catalogue.read() as catalogue:
            found = await catalogue.services_named([name])
        if name not in found:
            raise FeatureServiceNotFound(name, "feature_service")
        return await self._of_references("feature_service.features", found[name].definition.features)

    async def _of_references(self, path: str, references: Sequence[Reference]) -> Plan:
        async with self._catalogue.read() as catalogue:
            views = await catalogue.named(sorted({one.view for one in references}))
        return compile_plan(path, references, views)

    async def _remembered(self, key: object, find: Callable[[], Awaitable[T]]) -> T:
        kept, now = self._kept, self._clock.monotonic()
        if key in kept and now - kept[key][0] < self._keep_s:
            return cast("T", kept[key][1])
        found = await find()
        if len(kept) >= _MOST:
            kept.clear()
        kept[key] = (now, found)
        return found
