"""The arms that this gateway took to zero by itself, and the failures that may lead there."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence, Set

from services.inference_gateway.domain.desired import Desired, Endpoint, Route, VersionKey
from services.inference_gateway.domain.guardrail import Disabled, Guardrails, unloadable, why_broken
from services.inference_gateway.domain.window import Window
from slipway.clock import Clock

log = logging.getLogger(__name__)

Place = tuple[str, str]
"""The names of an endpoint and of one of its arms."""


class Guard:
    """Remembers by endpoint and arm; a new revision of an endpoint gives its arms a new chance."""

    def __init__(self, rails: Guardrails, clock: Clock) -> None:
        self._rails = rails
        self._clock = clock
        self._windows: dict[str, dict[str, Window]] = {}
        self._revisions: dict[str, int] = {}
        self.disabled: dict[Place, Disabled] = {}
        self.unannounced: deque[Disabled] = deque()
        self.changed = asyncio.Event()

    def restore(self, kept: Iterable[tuple[Disabled, bool]]) -> None:
        """Take in what was disabled before the restart, and announce what was not."""
        for one, announced in kept:
            self.disabled[one.endpoint, one.route] = one
            self._revisions[one.endpoint] = one.revision
            if not announced:
                self.unannounced.append(one)
                self.changed.set()

    def follow(self, desired: Desired) -> None:
        """Forget what was learned of endpoints that changed since."""
        for name, revision in list(self._revisions.items()):
            endpoint = desired.endpoints.get(name)
            if endpoint is not None and endpoint.revision == revision:
                continue
            del self._revisions[name]
            self._windows.pop(name, None)
            for place in [one for one in self.disabled if one[0] == name]:
                del self.disabled[place]
                self.changed.set()

    def effective(self, desired: Desired) -> Desired:
        """What is desired, less the arms that are disabled."""
        return desired.without(self.disabled) if self.disabled else desired

    def observe(
        self, desired: Desired, name: str, route: Route, why: str, *, seconds: float | None = None, rows: int = 1
    ) -> bool:
        """Count a batch of an arm, which failed unless ``why`` is empty; True when that disabled the arm.

        Of one that was answered, ``rows`` took ``seconds``; None where nobody waited for it.
        """
        endpoint = desired.endpoints.get(name)
        # An arm of before the last change says nothing about those of now.
        if endpoint is None or not (route in endpoint.routes or any(map(route.is_of_the_same_arm, endpoint.routes))):
            return False
        self._revisions[name] = endpoint.revision
        arms = self._windows.setdefault(name, {})
        window = arms.get(route.name)
        if window is None:
            window = arms[route.name] = self._rails.under(endpoint.limits).window()
        slow = window.add(why, seconds, rows)
        if not (why or slow):
            return False
        rails = self._rails.under(endpoint.limits)
        broken = why_broken(self._now(desired, endpoint), route.name, arms, rails)
        if broken:
            self._disable(endpoint, route, broken)
        return bool(broken)

    def judge_loads(
        self,
        desired: Desired,
        attempts: Mapping[VersionKey, int],
        loaded: Set[VersionKey],
        why: Mapping[VersionKey, str],
    ) -> None:
        """Disable the arms whose versions failed to load too often, or can't be read as the registry has them."""
        asked = {route.version for endpoint in desired.endpoints.values() for route in endpoint.routes}
        attempts = {**attempts, **dict.fromkeys(asked - desired.versions.keys(), self._rails.load_attempts)}
        if not attempts:
            return
        for endpoint in desired.endpoints.values():
            self._revisions.setdefault(endpoint.name, endpoint.revision)
            for route in list(unloadable(self._now(desired, endpoint), attempts, loaded, self._rails)):
                self._disable(
                    endpoint, route, f"it can't be loaded: {why.get(route.version) or 'it is not understood'}"
                )

    def state(self) -> Sequence[tuple[Disabled, bool]]:
        """Every arm that is disabled or still to be announced, and whether it was announced."""
        waiting = list(self.unannounced)
        return [(one, False) for one in waiting] + [(one, True) for one in self.disabled.values() if one not in waiting]

    def _now(self, desired: Desired, endpoint: Endpoint) -> Endpoint:
        return self.effective(desired).endpoints[endpoint.name]

    def _disable(self, endpoint: Endpoint, route: Route, reason: str) -> None:
        one = Disabled(endpoint.name, route.name, route.version, endpoint.revision, reason, self._clock.now())
        self.disabled[endpoint.name, route.name] = one
        self.unannounced.append(one)
        self.changed.set()
        log.error(
            "an arm is taken to zero",
            extra={"endpoint": endpoint.name, "route": route.name, "version": str(route.version), "why": reason},
        )
