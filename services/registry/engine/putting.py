"""Putting an endpoint: the one way, whoever asked for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.registry.domain.changes import EndpointPut
from services.registry.domain.endpoint import Endpoint, EndpointSpec, Route
from services.registry.domain.errors import AliasNotFound, VersionNotFound
from services.registry.domain.fallback import DefaultAnswer, FallbackVersion, unfit
from services.registry.domain.history import before_current
from services.registry.domain.revision import Why
from services.registry.domain.rollout import Rollout
from services.registry.ports import Reader, Writer
from slipway.errors import invalid_field

MAX_REASON = 2_000


async def put(catalogue: Writer, name: str, spec: EndpointSpec, why: Why, now: datetime) -> Endpoint:
    """Put an endpoint whose ``spec`` is resolved, and tell of it, in the caller's transaction."""
    endpoint = await catalogue.put_endpoint(name, spec, why, now)
    await catalogue.announce(EndpointPut(endpoint), now)
    return endpoint


async def resolve(catalogue: Reader, spec: EndpointSpec, rollout: Rollout | None = None) -> EndpointSpec:
    """``spec`` with the versions that its targets and its fallback stand for, while ``rollout``, if any, runs.

    Raises AliasNotFound, VersionNotFound, InvalidInput.
    """
    routes = tuple([await _resolved(catalogue, route) for route in spec.routes])
    resolved = replace(spec, routes=routes, guardrails=spec.guardrails.complete() if spec.guardrails else None)
    if not isinstance(spec.fallback, FallbackVersion):
        return resolved
    named = rollout.main_route if rollout and rollout.running else spec.main.name
    main = next((route for route in routes if route.name == named), spec.main)
    return replace(resolved, fallback=await _stand_in(catalogue, spec.fallback, main))


async def require_fit(catalogue: Reader, spec: EndpointSpec) -> None:
    """Raise InvalidInput unless the default answer of a resolved ``spec`` is one of each of its versions."""
    if not isinstance(spec.fallback, DefaultAnswer):
        return
    for route in spec.routes:
        version = await catalogue.version(route.target.model, route.resolved)
        if version and (why := unfit(spec.fallback, version.draft.signature)):
            told = f"{why}, as version {route.resolved} of {route.target.model!r} on arm {route.name!r} has them"
            raise invalid_field("endpoint.fallback.default_answer.outputs", told)


def check_reason(reason: str) -> None:
    """Raise InvalidInput unless ``reason`` can be kept."""
    if len(reason) > MAX_REASON:
        raise invalid_field("reason", f"has {len(reason)} characters; at most {MAX_REASON} are kept")


async def _resolved(catalogue: Reader, route: Route) -> Route:
    target = route.target
    number = target.version
    if target.alias:
        alias = await catalogue.alias(target.model, target.alias)
        if alias is None:
            raise AliasNotFound(target.model, target.alias)
        number = alias.version
    if await catalogue.version(target.model, number) is None:
        raise VersionNotFound(target.model, number)
    return replace(route, resolved=number)


async def _stand_in(catalogue: Reader, asked: FallbackVersion, main: Route) -> FallbackVersion:
    model = asked.model or main.target.model
    if asked.version:
        if await catalogue.version(model, asked.version) is None:
            raise VersionNotFound(model, asked.version)
        return replace(asked, resolved_model=model, resolved=asked.version)
    if not main.target.alias or model != main.target.model:
        told = f"is 0, for the version before, but arm {main.name!r} follows no alias of {model!r}; name a version"
        raise invalid_field("endpoint.fallback.version.version", told)
    before = before_current(await catalogue.alias_moves(model, main.target.alias))
    return replace(asked, resolved_model=model if before else "", resolved=before or 0)
