"""Endpoints: what applications call, and where their traffic should go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.registry.domain.experiment import Experiment, experiment_faults
from services.registry.domain.fallback import Fallback, FallbackVersion, fallback_faults
from services.registry.domain.guardrails import Guardrails, guardrail_faults
from services.registry.domain.model import ModelVersion
from services.registry.domain.rollout import Rollout
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import column_name, resource_name

MAX_ROUTES = 32
MAX_WEIGHT = 10_000
MAX_KEYS = 16


@dataclass(frozen=True, slots=True)
class Target:
    """What a route points to: a version number, or an alias that it follows (then ``version`` is 0)."""

    model: str
    version: int = 0
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One arm of an endpoint; ``resolved`` is the version its target stands for, 0 before that is known.

    A ``shadow`` also scores the rows that other arms answer, for the log alone.
    """

    name: str
    target: Target
    weight: int
    resolved: int = 0
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """What an endpoint should be, whoever asks for it: its arms, and how they are chosen, guarded and stood in for.

    ``sticky_by`` names the entity keys that choose a row's arm; none for all that there are.
    """

    routes: tuple[Route, ...]
    guardrails: Guardrails | None = None
    fallback: Fallback | None = None
    sticky_by: tuple[str, ...] = ()
    experiment: Experiment | None = None

    @property
    def main(self) -> Route:
        """The arm with most of the traffic, the first among equals."""
        return max(self.routes, key=lambda route: route.weight)

    @property
    def versions(self) -> set[tuple[str, int]]:
        """The models and numbers of the versions that its arms and its fallback stand for."""
        needed = {(route.target.model, route.resolved) for route in self.routes}
        if isinstance(self.fallback, FallbackVersion) and self.fallback.resolved:
            needed.add((self.fallback.resolved_model, self.fallback.resolved))
        return needed


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A name, what it should be and its latest rollout, at one revision of the registry's desired state."""

    name: str
    spec: EndpointSpec
    revision: int
    update_time: datetime
    rollout: Rollout | None = None

    @property
    def routes(self) -> tuple[Route, ...]:
        """Its arms."""
        return self.spec.routes


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Everything (``snapshot``) or what changed after some revision, with the versions that it needs."""

    revision: int
    snapshot: bool
    endpoints: Sequence[Endpoint]
    deleted: Sequence[str]
    versions: Sequence[ModelVersion]


def check_endpoint(name: str, spec: EndpointSpec) -> None:
    """Raise InvalidInput naming every bad field unless ``spec`` can be an endpoint."""
    resource_name("endpoint.name", name)
    if not 1 <= len(spec.routes) <= MAX_ROUTES:
        raise invalid_field("endpoint.routes", f"has {len(spec.routes)} arms; give 1 to {MAX_ROUTES}")
    wrong = [*_route_faults(spec.routes), *_key_faults(spec.sticky_by)]
    if spec.guardrails:
        wrong += guardrail_faults("endpoint.guardrails", spec.guardrails)
    if spec.fallback:
        wrong += fallback_faults("endpoint.fallback", spec.fallback)
    if spec.experiment:
        live = [route.name for route in spec.routes if route.weight]
        wrong += experiment_faults("endpoint.experiment", spec.experiment, live)
    if wrong:
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)


def _route_faults(routes: Sequence[Route]) -> Iterator[FieldViolation]:
    taken: set[str] = set()
    for position, route in enumerate(routes):
        yield from _faults(f"endpoint.routes[{position}]", route, taken)
        taken.add(route.name)
    if all(route.weight == 0 for route in routes):
        yield FieldViolation("endpoint.routes", "all have weight 0; give one arm a weight above 0")


def _key_faults(keys: Sequence[str]) -> Iterator[FieldViolation]:
    if len(keys) > MAX_KEYS:
        yield FieldViolation("endpoint.sticky_by", f"has {len(keys)} keys; give at most {MAX_KEYS}")
    for position, key in enumerate(keys[:MAX_KEYS]):
        column_name(f"endpoint.sticky_by[{position}]", key)
        if key in keys[:position]:
            yield FieldViolation(f"endpoint.sticky_by[{position}]", f"{key!r} stands twice; give each key once")


def _faults(field: str, route: Route, taken: set[str]) -> Iterator[FieldViolation]:
    resource_name(f"{field}.name", route.name)
    resource_name(f"{field}.model", route.target.model)
    if route.target.alias:
        resource_name(f"{field}.alias", route.target.alias)
    elif route.target.version < 1:
        yield FieldViolation(f"{field}.target", "is missing; give a version or an alias")
    if not 0 <= route.weight <= MAX_WEIGHT:
        yield FieldViolation(f"{field}.weight", f"is {route.weight}; give 0 to {MAX_WEIGHT}")
    if route.name in taken:
        yield FieldViolation(f"{field}.name", f"{route.name!r} stands twice; arms need different names")
