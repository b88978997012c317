"""Moving an alias and the endpoints that follow it: the one way, whoever asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from services.registry.domain.changes import AliasMoved, EndpointPut
from services.registry.domain.endpoint import Endpoint, Route
from services.registry.domain.errors import AliasNotFound, RolloutRunning, VersionNotFound
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias
from services.registry.domain.rollout import Rollout
from services.registry.ports import Reader, Writer


async def move_alias(
    catalogue: Writer, move: AliasMove, arms: Mapping[str, Sequence[Route]] | None = None
) -> Sequence[Endpoint]:
    """Move an alias, remember it, and put every endpoint that follows it, in the caller's transaction.

    ``arms`` are the arms of endpoints that change beyond that, by name. The endpoints that were put are given.
    """
    arms = arms or {}
    await catalogue.put_alias(Alias(move.model, move.alias, move.to_version, move.time))
    await catalogue.add_alias_move(move)
    await catalogue.announce(AliasMoved(move.model, move.alias, move.from_version, move.to_version), move.time)
    put = []
    for endpoint in await catalogue.endpoints_following(move.model, move.alias):
        routes = [await resolve(catalogue, route) for route in arms.get(endpoint.name, endpoint.routes)]
        moved = await catalogue.put_endpoint(endpoint.name, routes, move.time)
        await catalogue.announce(EndpointPut(moved), move.time)
        put.append(moved)
    return put


async def resolve(catalogue: Reader, route: Route) -> Route:
    """``route`` with the version that its target stands for. Raises AliasNotFound, VersionNotFound."""
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


async def rolling_out(catalogue: Reader, model: str, alias: str) -> Sequence[tuple[Endpoint, Rollout]]:
    """The endpoints whose running rollout is to move the alias, with it."""
    return [
        (endpoint, rollout)
        for endpoint in await catalogue.endpoints_following(model, alias)
        if (rollout := endpoint.rollout) and rollout.running and (rollout.model, rollout.alias) == (model, alias)
    ]


async def require_still(catalogue: Reader, model: str, alias: str) -> None:
    """Raise RolloutRunning while a rollout is to move the alias."""
    for endpoint, rollout in await rolling_out(catalogue, model, alias):
        raise RolloutRunning(endpoint.name, rollout.id)
