"""Endpoints: what applications call, and where their traffic should go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.registry.domain.model import ModelVersion
from services.registry.domain.rollout import Rollout
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import resource_name

MAX_ROUTES = 32
MAX_WEIGHT = 10_000


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
class Endpoint:
    """A name, its arms and its latest rollout, at one revision of the registry's desired state."""

    name: str
    routes: tuple[Route, ...]
    revision: int
    update_time: datetime
    rollout: Rollout | None = None


@dataclass(frozen=True, slots=True)
class DesiredState:
    """Everything (``snapshot``) or what changed after some revision, with the versions that it needs."""

    revision: int
    snapshot: bool
    endpoints: Sequence[Endpoint]
    deleted: Sequence[str]
    versions: Sequence[ModelVersion]


def check_endpoint(name: str, routes: Sequence[Route]) -> None:
    """Raise InvalidInput naming every bad field unless ``routes`` can be an endpoint's arms."""
    resource_name("endpoint.name", name)
    if not 1 <= len(routes) <= MAX_ROUTES:
        raise invalid_field("endpoint.routes", f"has {len(routes)} arms; give 1 to {MAX_ROUTES}")
    taken: set[str] = set()
    wrong: list[FieldViolation] = []
    for position, route in enumerate(routes):
        wrong += _faults(f"endpoint.routes[{position}]", route, taken)
        taken.add(route.name)
    if all(route.weight == 0 for route in routes):
        wrong.append(FieldViolation("endpoint.routes", "all have weight 0; give one arm a weight above 0"))
    if wrong:
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)


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
