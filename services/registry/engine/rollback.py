"""Putting an endpoint back: to the version before, or to what it should have been at any revision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from services.registry.domain import rollout as rules
from services.registry.domain.arms import CANDIDATE, at_rest, main_arm, under, without_previous
from services.registry.domain.endpoint import Endpoint, EndpointSpec
from services.registry.domain.errors import (
    EndpointNotFound,
    Moved,
    NothingBefore,
    RevisionImpossible,
    RevisionNotFound,
)
from services.registry.domain.fallback import FallbackVersion
from services.registry.domain.history import AliasMove, before_current
from services.registry.domain.revision import Cause, EndpointRevision, Why
from services.registry.domain.rollout import RolloutState
from services.registry.engine.moving import move_alias, rolling_out
from services.registry.engine.putting import check_reason, put, resolve
from services.registry.engine.watch import Watch
from services.registry.ports import Catalogue, Reader, Writer
from slipway.clock import Clock
from slipway.naming import resource_name

_ROLLED_BACK = "the endpoint was rolled back"
_LAST_REVISION = 2**63 - 1
Changed = dict[str, tuple[EndpointSpec, Why]]


class RollBack:
    """One call back: the endpoint, aliases, all endpoints that follow them, and rollouts that were to move them."""

    def __init__(self, catalogue: Catalogue, watch: Watch, clock: Clock) -> None:
        self._catalogue = catalogue
        self._watch = watch
        self._clock = clock

    async def roll_back(self, name: str, from_version: int | None, reason: str) -> Endpoint:
        """Move the main arm's alias to the version that it pointed at before the current one.

        Again with the same ``from_version`` it finds its own work. Raises InvalidInput, EndpointNotFound,
        NoAliasFollowed, NothingBefore, Moved.
        """
        resource_name("endpoint", name)
        check_reason(reason)
        async with self._catalogue.write() as catalogue:
            endpoint = await catalogue.endpoint(name)
            if endpoint is None:
                raise EndpointNotFound(name)
            main = main_arm(endpoint)
            moves = await catalogue.alias_moves(main.target.model, main.target.alias)
            if from_version is not None and from_version != main.resolved:
                if moves and moves[-1].rollback and moves[-1].from_version == from_version:
                    return endpoint
                raise Moved(f"the main arm of endpoint {name!r}", from_version, main.resolved)
            before = before_current(moves)
            if before is None:
                raise NothingBefore(name, main.target.alias)
            now = self._clock.now()
            move = AliasMove(
                main.target.model, main.target.alias, main.resolved, before, now, reason or _ROLLED_BACK, rollback=True
            )
            mine: Changed = {name: (without_previous(endpoint.spec), Why(Cause.ROLLBACK, move.reason))}
            done = await move_alias(catalogue, move, mine | await _end_rollouts(catalogue, move))
        self._watch.wake()
        return next(one for one in done if one.name == name)

    async def to_revision(self, name: str, revision: int, reason: str) -> Endpoint:
        """Make an endpoint, deleted or not, again what it should have been at ``revision``, as a new revision.

        Aliases that its arms follow go back with it. Again, it finds its own work. Raises InvalidInput,
        RevisionNotFound, RevisionImpossible.
        """
        resource_name("endpoint", name)
        check_reason(reason)
        async with self._catalogue.write() as catalogue:
            kept = await catalogue.endpoint_revision(name, revision) if revision <= _LAST_REVISION else None
            if kept is None:
                raise RevisionNotFound(name, revision)
            spec = await _of_its_own(catalogue, kept)
            now = self._clock.now()
            moves = await _moves(catalogue, kept, spec, reason or f"to revision {revision}", now)
            stored = await catalogue.endpoint(name)
            running = stored.rollout if stored and stored.rollout and stored.rollout.running else None
            if stored and not running and not moves and _same(await resolve(catalogue, spec), stored.spec):
                return stored
            if running and (ended := rules.end(running, RolloutState.ROLLED_BACK, reason or _ROLLED_BACK, now)):
                await catalogue.update_rollout(ended)
            for move in moves:
                await move_alias(catalogue, move, await _end_rollouts(catalogue, move, but=name), but=name)
            why = Why(Cause.ROLLBACK, f"to revision {revision}: {reason}" if reason else f"to revision {revision}")
            endpoint = await put(catalogue, name, await resolve(catalogue, spec), why, now)
        self._watch.wake()
        return endpoint


async def _end_rollouts(catalogue: Writer, move: AliasMove, *, but: str = "") -> Changed:
    """End the rollouts that were to move ``move``'s alias; what that makes of their endpoints."""
    changed: Changed = {}
    for endpoint, rollout in await rolling_out(catalogue, move.model, move.alias):
        ended = rules.end(rollout, RolloutState.ROLLED_BACK, move.reason, move.time)
        if ended and endpoint.name != but:
            await catalogue.update_rollout(ended)
            spec = without_previous(under(ended, endpoint.spec))
            changed[endpoint.name] = (spec, Why(Cause.ROLLBACK, move.reason, ended.id))
    return changed


async def _of_its_own(catalogue: Reader, kept: EndpointRevision) -> EndpointSpec:
    """What the endpoint should have been at a revision, but for what a rollout had made of it."""
    if kept.spec is None:
        raise RevisionImpossible(kept.endpoint, kept.revision, "it only tells that it was deleted; give the one before")
    spec = kept.spec
    if kept.why.rollout_id and any(route.name == CANDIDATE for route in spec.routes):
        rollout = await catalogue.rollout(kept.why.rollout_id)
        spec = at_rest(rollout, spec) if rollout else spec
    return without_previous(spec)


async def _moves(
    catalogue: Reader, kept: EndpointRevision, spec: EndpointSpec, reason: str, now: datetime
) -> Sequence[AliasMove]:
    """The moves that take each alias of ``spec`` to where it pointed then. Raises RevisionImpossible."""
    moves: dict[tuple[str, str], AliasMove] = {}
    needed = [(route.target.model, route.resolved) for route in spec.routes]
    if isinstance(spec.fallback, FallbackVersion) and spec.fallback.version:
        needed.append((spec.fallback.resolved_model, spec.fallback.version))
    for model, number in needed:
        if await catalogue.version(model, number) is None:
            told = f"version {number} of model {model!r} is gone; give another revision"
            raise RevisionImpossible(kept.endpoint, kept.revision, told)
    for route in spec.routes:
        model, name = route.target.model, route.target.alias
        if not name:
            continue
        alias = await catalogue.alias(model, name)
        if alias is None:
            told = f"alias {name!r} of model {model!r} is gone; set it with SetAlias first"
            raise RevisionImpossible(kept.endpoint, kept.revision, told)
        if alias.version != route.resolved:
            moves[model, name] = AliasMove(model, name, alias.version, route.resolved, now, reason, rollback=True)
    return list(moves.values())


def _same(one: EndpointSpec, other: EndpointSpec) -> bool:
    """Whether both are the same but for the shadow that a rollout has left."""
    return without_previous(one) == without_previous(other)
