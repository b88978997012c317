"""Putting an endpoint back to the version before."""

from __future__ import annotations

from datetime import datetime

from services.registry.domain import rollout as rules
from services.registry.domain.arms import arms, main_arm, without_previous
from services.registry.domain.endpoint import Endpoint, Route
from services.registry.domain.errors import EndpointNotFound, Moved, NothingBefore
from services.registry.domain.history import AliasMove, before_current
from services.registry.domain.rollout import RolloutState
from services.registry.engine.moving import move_alias, rolling_out
from services.registry.engine.rollouts import check_reason
from services.registry.engine.watch import Watch
from services.registry.ports import Catalogue, Writer
from slipway.clock import Clock
from slipway.naming import resource_name

_ROLLED_BACK = "the endpoint was rolled back"


class RollBack:
    """One call back: the alias of the main arm, all endpoints that follow it, and rollouts that were to move it."""

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
            put = await move_alias(catalogue, move, await _arms(catalogue, endpoint, move, now))
        self._watch.wake()
        return next(one for one in put if one.name == name)


async def _arms(catalogue: Writer, endpoint: Endpoint, move: AliasMove, now: datetime) -> dict[str, list[Route]]:
    """The arms of ``endpoint``, and of those whose rollouts were to move its alias: these are ended."""
    changed = {endpoint.name: without_previous(endpoint.routes)}
    for other, rollout in await rolling_out(catalogue, move.model, move.alias):
        if ended := rules.end(rollout, RolloutState.ROLLED_BACK, move.reason, now):
            await catalogue.update_rollout(ended)
            changed[other.name] = arms(ended, other.routes)
    return changed
