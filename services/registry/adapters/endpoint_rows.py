"""Between endpoints with their revisions, and rows of the registry's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from services.registry.adapters.rollout_rows import rollout_of
from services.registry.domain.endpoint import Endpoint, EndpointSpec, Route, Target
from services.registry.domain.experiment import Experiment
from services.registry.domain.fallback import DefaultAnswer, DefaultOutput, Fallback, FallbackVersion
from services.registry.domain.guardrails import Guardrails
from services.registry.domain.revision import Cause, EndpointRevision, Why

AnyRow = Row[Any]
Stored = Mapping[str, Any]


def route_columns(endpoint: str, position: int, route: Route) -> dict[str, Any]:
    """The row of one arm."""
    return {
        "endpoint": endpoint,
        "position": position,
        "name": route.name,
        "model": route.target.model,
        "version": route.target.version,
        "alias": route.target.alias,
        "weight": route.weight,
        "resolved": route.resolved,
        "shadow": route.shadow,
    }


def settings_of(spec: EndpointSpec) -> dict[str, Any] | None:
    """Everything of ``spec`` but its routes; None when there is nothing else."""
    body = {name: value for name, value in asdict(spec).items() if value and name != "routes"}
    return body or None


def spec_columns(spec: EndpointSpec) -> dict[str, Any]:
    """All of ``spec``."""
    return {"routes": asdict(spec)["routes"], **(settings_of(spec) or {})}


def endpoint_of(row: AnyRow, routes: Sequence[AnyRow], rollout: AnyRow | None) -> Endpoint:
    """An endpoint, its arms and its latest rollout."""
    arms = tuple(
        Route(one.name, Target(one.model, one.version, one.alias), one.weight, one.resolved, one.shadow)
        for one in sorted(routes, key=lambda one: one.position)
    )
    spec = _spec(arms, row.settings or {})
    return Endpoint(row.name, spec, row.revision, row.update_time, rollout_of(rollout) if rollout else None)


def revision_of(row: AnyRow) -> EndpointRevision:
    """A revision of an endpoint."""
    why = Why(Cause(row.cause), row.reason, row.rollout_id)
    return EndpointRevision(row.endpoint, row.revision, spec_of(row.spec) if row.spec else None, why, row.time)


def spec_of(stored: Stored) -> EndpointSpec:
    """What an endpoint should be, out of the JSON that it was stored as."""
    return _spec(tuple(Route(**arm | {"target": Target(**arm["target"])}) for arm in stored["routes"]), stored)


def _spec(routes: tuple[Route, ...], stored: Stored) -> EndpointSpec:
    rails, fallback, experiment = (stored.get(name) for name in ("guardrails", "fallback", "experiment"))
    return EndpointSpec(
        routes,
        guardrails=Guardrails(**rails) if rails else None,
        fallback=_fallback(fallback) if fallback else None,
        sticky_by=tuple(stored.get("sticky_by", ())),
        experiment=Experiment(**experiment | {"arms": tuple(experiment["arms"])}) if experiment else None,
    )


def _fallback(stored: Stored) -> Fallback:
    if "outputs" not in stored:
        return FallbackVersion(**stored)
    return DefaultAnswer(
        tuple(DefaultOutput(one["name"], tuple(one["values"]), tuple(one["texts"])) for one in stored["outputs"]),
        stored.get("when_not_ready", False),
        stored.get("when_features_unavailable", False),
    )
