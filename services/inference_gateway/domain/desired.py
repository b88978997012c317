"""What the registry wants served, and the next step towards it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from services.inference_gateway.domain.signature import Signature


@dataclass(frozen=True, slots=True, order=True)
class VersionKey:
    """A model's name and a version's number."""

    model: str
    number: int

    def __str__(self) -> str:
        return f"{self.model}/{self.number}"


@dataclass(frozen=True, slots=True)
class VersionSpec:
    """All that is needed to serve a version."""

    key: VersionKey
    digest: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Route:
    """One arm: its version and its relative share of traffic.

    A ``shadow`` also scores what other arms answer, for the log alone.
    """

    name: str
    version: VersionKey
    weight: int
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name and its arms, at one revision."""

    name: str
    routes: tuple[Route, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class Step:
    """A message of the registry's stream: everything (``snapshot``), or what changed."""

    revision: int
    snapshot: bool
    endpoints: Sequence[Endpoint]
    deleted: Sequence[str]
    versions: Sequence[VersionSpec]


@dataclass(frozen=True, slots=True)
class Desired:
    """What should be served."""

    revision: int
    endpoints: Mapping[str, Endpoint]
    versions: Mapping[VersionKey, VersionSpec]

    def after(self, step: Step) -> Desired:
        """The desired state after a message; versions that no endpoint needs are forgotten."""
        endpoints = {} if step.snapshot else dict(self.endpoints)
        for name in step.deleted:
            endpoints.pop(name, None)
        endpoints |= {endpoint.name: endpoint for endpoint in step.endpoints}
        known = dict(self.versions) | {spec.key: spec for spec in step.versions}
        needed = {route.version for endpoint in endpoints.values() for route in endpoint.routes}
        return Desired(step.revision, endpoints, {key: known[key] for key in needed if key in known})

    def without(self, arms: Collection[tuple[str, str]]) -> Desired:
        """The same with these arms, by the names of endpoint and route, answering and scoring nothing."""
        quiet = dict(self.endpoints)
        for name, arm in arms:
            if endpoint := quiet.get(name):
                routes = [replace(one, weight=0, shadow=False) if one.name == arm else one for one in endpoint.routes]
                quiet[name] = replace(endpoint, routes=tuple(routes))
        return replace(self, endpoints=quiet)


NOTHING = Desired(0, {}, {})


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next: start loading, stop, and who answers under each endpoint's name."""

    load: frozenset[VersionKey]
    unload: frozenset[VersionKey]
    arms: Mapping[str, tuple[Route, ...]]


def plan(
    desired: Desired,
    loaded: Set[VersionKey],
    loading: Set[VersionKey],
    serving: Mapping[str, tuple[Route, ...]],
) -> Plan:
    """The next step from what is loaded and serving to what is desired: load first, flip, then unload.

    An endpoint flips to its new arms when every version that takes traffic in them is loaded, and keeps its old
    arms until then; an arm that takes none, a shadow too, joins when it is loaded. Nothing that serves is unloaded.
    """
    wanted = {route.version for endpoint in desired.endpoints.values() for route in endpoint.routes}
    arms: dict[str, tuple[Route, ...]] = {}
    for name, endpoint in desired.endpoints.items():
        ready = all(route.version in loaded for route in endpoint.routes if route.weight)
        if ready:
            arms[name] = tuple(route for route in endpoint.routes if route.version in loaded)
        elif name in serving:
            arms[name] = serving[name]
    used = {route.version for routes in arms.values() for route in routes}
    return Plan(
        load=frozenset(wanted - loaded - loading),
        unload=frozenset(loaded - wanted - used),
        arms=arms,
    )
