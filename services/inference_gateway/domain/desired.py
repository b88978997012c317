"""What the registry wants served, and the next step towards it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from services.inference_gateway.domain.default_answer import DefaultAnswer
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

    A ``shadow`` also scores what other arms answer, for the log alone. Its rows are those that it draws by ``salt``
    (the endpoint's name, if empty) and the entity keys ``sticky_by`` (all, if none); they are exposed to
    ``experiment``, if that is named. A ``fallback`` is no arm of the endpoint's: its version answers when an arm can't.
    """

    name: str
    version: VersionKey
    weight: int
    shadow: bool = False
    salt: str = ""
    sticky_by: tuple[str, ...] = ()
    experiment: str = ""
    fallback: bool = False

    def is_of_the_same_arm(self, other: Route) -> bool:
        """Whether the other is this arm too, with whatever share of traffic."""
        return self.name == other.name and self.version == other.version


@dataclass(frozen=True, slots=True)
class Limits:
    """What is borne of an endpoint's arms, over the last ``window`` batches of each, but not before ``least``.

    None for a limit that is not set there, 0 for a number that is left to the gateway.
    """

    error_share: float | None = None
    p99_s: float | None = None
    window: int = 0
    least: int = 0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name and its arms, at one revision, what is borne of them, and what answers when one can't."""

    name: str
    routes: tuple[Route, ...]
    revision: int
    limits: Limits = Limits()
    fallback: VersionKey | DefaultAnswer | None = None

    @property
    def versions(self) -> set[VersionKey]:
        """All that must be loaded for it."""
        needed = {route.version for route in self.routes}
        return needed | {self.fallback} if isinstance(self.fallback, VersionKey) else needed

    def loaded(self, versions: Set[VersionKey]) -> tuple[Route, ...]:
        """Its arms whose versions are among ``versions``, and after them its fallback's, if that is."""
        arms = tuple(route for route in self.routes if route.version in versions)
        if isinstance(self.fallback, VersionKey) and self.fallback in versions:
            return (*arms, Route("fallback", self.fallback, 0, fallback=True))
        return arms


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

    def main(self, endpoint: str) -> VersionSpec | None:
        """The version that is to have most of an endpoint's traffic; None where that is not known."""
        wanted = self.endpoints.get(endpoint)
        routes = wanted.routes if wanted else ()
        heaviest = max(routes, key=lambda route: route.weight, default=None)
        return self.versions.get(heaviest.version) if heaviest else None

    def after(self, step: Step) -> Desired:
        """The desired state after a message; versions that no endpoint needs are forgotten."""
        endpoints = {} if step.snapshot else dict(self.endpoints)
        for name in step.deleted:
            endpoints.pop(name, None)
        endpoints |= {endpoint.name: endpoint for endpoint in step.endpoints}
        known = dict(self.versions) | {spec.key: spec for spec in step.versions}
        needed = {key for endpoint in endpoints.values() for key in endpoint.versions}
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
    arms until then; an arm that takes none, a shadow too, joins when it is loaded, and so does the fallback's version,
    as the last arm. Nothing that serves is unloaded.
    """
    wanted = {key for endpoint in desired.endpoints.values() for key in endpoint.versions}
    arms: dict[str, tuple[Route, ...]] = {}
    for name, endpoint in desired.endpoints.items():
        ready = all(route.version in loaded for route in endpoint.routes if route.weight)
        if ready:
            arms[name] = endpoint.loaded(loaded)
        elif name in serving:
            arms[name] = serving[name]
    used = {route.version for routes in arms.values() for route in routes}
    return Plan(
        load=frozenset(wanted - loaded - loading),
        unload=frozenset(loaded - wanted - used),
        arms=arms,
    )
