"""Moving an alias and the endpoints that follow it: the one way, whoever asked for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registry.domain.changes import AliasMoved
from services.registry.domain.endpoint import Endpoint, EndpointSpec
from services.registry.domain.errors import RolloutRunning
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias
from services.registry.domain.revision import Cause, Why
from services.registry.domain.rollout import Rollout
from services.registry.engine.putting import put, resolve
from services.registry.ports import Reader, Writer


async def move_alias(
    catalogue: Writer,
    move: AliasMove,
    changed: Mapping[str, tuple[EndpointSpec, Why]] | None = None,
    *,
    but: str = "",
) -> Sequence[Endpoint]:
    """Move an alias, remember it, and put every endpoint that follows it, in the caller's transaction.

    ``changed`` are the endpoints that change beyond that, by name, and why; ``but`` names one that the caller puts.
    The endpoints that were put are given.
    """
    changed = changed or {}
    await catalogue.put_alias(Alias(move.model, move.alias, move.to_version, move.time))
    await catalogue.add_alias_move(move)
    await catalogue.announce(AliasMoved(move.model, move.alias, move.from_version, move.to_version), move.time)
    done = []
    for endpoint in await catalogue.endpoints_following(move.model, move.alias):
        if endpoint.name == but:
            continue
        running = endpoint.rollout if endpoint.rollout and endpoint.rollout.running else None
        spec, why = changed.get(endpoint.name, (endpoint.spec, _followed(move, running)))
        spec = await resolve(catalogue, spec, running)
        done.append(await put(catalogue, endpoint.name, spec, why, move.time))
    return done


def _followed(move: AliasMove, running: Rollout | None) -> Why:
    told = f"alias {move.alias} of {move.model}: {move.from_version} -> {move.to_version}"
    return Why(Cause.ALIAS, f"{told}: {move.reason}" if move.reason else told, running.id if running else "")


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
