"""Versions whose memory callers asked back, which they may for what takes no traffic and stands by for none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from services.inference_gateway.domain.desired import Desired, Route, VersionKey

Serving = Mapping[str, tuple[Route, ...]]
"""The arms that answer now, by endpoint."""


def takers(desired: Desired, serving: Serving, version: VersionKey) -> list[str]:
    """The endpoints, by name, whose rows a version scores or is about to: for answers, as a shadow, as a fallback."""
    found = []
    for name, endpoint in desired.endpoints.items():
        arms = (endpoint.routes, serving.get(name, ()))
        if endpoint.fallback == version or any(version in _working(routes) for routes in arms):
            found.append(name)
    return sorted(found)


def _working(routes: Sequence[Route]) -> set[VersionKey]:
    weighted = [route for route in routes if route.weight]
    answering: Iterable[Route] = weighted or routes[:1]  # without any weight the first arm answers
    return {route.version for route in answering} | {route.version for route in routes if route.shadow}


class Unloaded:
    """The versions that stay out of memory until rows go to them, or somebody wants them loaded."""

    def __init__(self) -> None:
        self.reasons: dict[VersionKey, str] = {}
        """Why each is not loaded."""

    def add(self, version: VersionKey, why: str = "on demand") -> None:
        """Keep a version out of memory."""
        self.reasons[version] = f"{version} was unloaded {why}; load it again, or give it traffic"

    def discard(self, version: VersionKey) -> None:
        """Let it be loaded."""
        self.reasons.pop(version, None)

    def back(self, desired: Desired, serving: Serving) -> list[VersionKey]:
        """Those to which rows go by now, or which nobody desires any more; they are let go."""
        back = [one for one in self.reasons if one not in desired.versions or takers(desired, serving, one)]
        for one in back:
            self.discard(one)
        return back

    def less(self, desired: Desired) -> Desired:
        """What is desired without these versions' arms."""
        if not self.reasons:
            return desired
        endpoints = {
            name: replace(endpoint, routes=self._less(endpoint.routes)) for name, endpoint in desired.endpoints.items()
        }
        return replace(desired, endpoints=endpoints)

    def less_serving(self, serving: Serving) -> Serving:
        """The arms that answer without these versions'."""
        return {name: self._less(routes) for name, routes in serving.items()} if self.reasons else serving

    def _less(self, routes: Sequence[Route]) -> tuple[Route, ...]:
        return tuple(route for route in routes if route.version not in self.reasons)
