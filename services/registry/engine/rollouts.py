"""Rollouts: how they start, go on by a verdict, and end."""

from __future__ import annotations

import uuid
from datetime import datetime

from services.registry.domain import rollout as rules
from services.registry.domain.arms import check_room, main_arm, under
from services.registry.domain.endpoint import Endpoint, Route
from services.registry.domain.errors import (
    EndpointNotFound,
    RequestReused,
    RolloutImpossible,
    RolloutNotFound,
    RolloutRunning,
    VersionNotFound,
)
from services.registry.domain.fallback import DefaultAnswer, unfit
from services.registry.domain.history import AliasMove
from services.registry.domain.revision import Cause, Why
from services.registry.domain.rollout import Rollout, RolloutPlan, RolloutState
from services.registry.domain.start import StartRollout, checked, fingerprint
from services.registry.engine.moving import move_alias, require_still
from services.registry.engine.putting import check_reason, put, resolve
from services.registry.engine.watch import Watch
from services.registry.ports import Catalogue, Reader, Writer
from slipway import paging
from slipway.clock import Clock
from slipway.naming import resource_name

_CANCELLED = "cancelled"


class Rollouts:
    """Rollouts by endpoint. Each change of one commits with its endpoint's arms and their event."""

    def __init__(self, catalogue: Catalogue, watch: Watch, clock: Clock) -> None:
        self._catalogue = catalogue
        self._watch = watch
        self._clock = clock

    async def start(self, asked: StartRollout) -> Endpoint:
        """Start a rollout at its first step; a repeated request gives the endpoint as it stands.

        Raises InvalidInput, EndpointNotFound, VersionNotFound, RequestReused, RolloutRunning, RolloutImpossible,
        NoAliasFollowed.
        """
        asked, plan = checked(asked)
        mark = fingerprint(asked)
        async with self._catalogue.write() as catalogue:
            endpoint = await _endpoint(catalogue, asked.endpoint)
            if stored := await catalogue.rollout_request(asked.request_id):
                if stored[1] != mark:
                    raise RequestReused(asked.request_id, "rollout")
                return endpoint
            now = self._clock.now()
            rollout = await _begin(catalogue, endpoint, asked, plan, now)
            await catalogue.add_rollout(rollout, asked.request_id, mark)
            endpoint = await _put(catalogue, endpoint, rollout, now, Why(Cause.ROLLOUT, "it started", rollout.id))
        self._watch.wake()
        return endpoint

    async def cancel(self, name: str, rollout_id: str, reason: str) -> Endpoint:
        """End a running rollout; one that has ended stays so. Raises EndpointNotFound, RolloutNotFound."""
        resource_name("endpoint", name)
        resource_name("rollout_id", rollout_id)
        check_reason(reason)
        async with self._catalogue.write() as catalogue:
            endpoint = await _endpoint(catalogue, name)
            rollout = await catalogue.rollout(rollout_id)
            if rollout is None or rollout.endpoint != name:
                raise RolloutNotFound(name, rollout_id)
            now = self._clock.now()
            ended = rules.end(rollout, RolloutState.ROLLED_BACK, reason or _CANCELLED, now)
            if ended is None:
                return endpoint
            endpoint = await settle(catalogue, endpoint, ended, now)
        self._watch.wake()
        return endpoint

    async def list(self, endpoint: str, size: int, token: str) -> paging.Slice[Rollout]:
        """A page of an endpoint's rollouts, newest first. Raises EndpointNotFound."""
        resource_name("endpoint", endpoint)
        page = paging.parse(size, token, (int,))
        async with self._catalogue.read() as catalogue:
            await _endpoint(catalogue, endpoint)
            rows = await catalogue.rollouts(endpoint, page)
        return paging.cut(rows, page, lambda rollout: (rollout.number,))


async def settle(
    catalogue: Writer, endpoint: Endpoint, rollout: Rollout, now: datetime, cause: Cause = Cause.ROLLOUT
) -> Endpoint:
    """Store where ``rollout`` stands now with everything that follows from it, in the caller's transaction."""
    await catalogue.update_rollout(rollout)
    why = Why(cause, rollout.reason, rollout.id)
    if rollout.state is not RolloutState.SUCCEEDED:
        return await _put(catalogue, endpoint, rollout, now, why)
    move = AliasMove(
        rollout.model, rollout.alias, rollout.baseline_version, rollout.candidate_version, now, f"rollout {rollout.id}"
    )
    done = await move_alias(catalogue, move, {endpoint.name: (under(rollout, endpoint.spec), why)})
    return next(one for one in done if one.name == endpoint.name)


async def _begin(
    catalogue: Reader, endpoint: Endpoint, asked: StartRollout, plan: RolloutPlan, now: datetime
) -> Rollout:
    before = endpoint.rollout
    if before and before.running:
        raise RolloutRunning(endpoint.name, before.id)
    main = main_arm(endpoint)
    model, alias = main.target.model, main.target.alias
    await _check_candidate(catalogue, endpoint, main, asked.version)
    check_room(endpoint, main, plan)
    await require_still(catalogue, model, alias)
    return Rollout(
        id=f"r{uuid.uuid4().hex}",
        endpoint=endpoint.name,
        number=before.number + 1 if before else 1,
        model=model,
        candidate_version=asked.version,
        baseline_version=main.resolved,
        alias=alias,
        main_route=main.name,
        main_weight=main.weight,
        plan=plan,
        state=RolloutState.RUNNING,
        step=0,
        reason="",
        create_time=now,
        update_time=now,
        start_revision=await catalogue.revision() + 1,
        start_event_time=asked.start_event_time,
    )


async def _check_candidate(catalogue: Reader, endpoint: Endpoint, main: Route, number: int) -> None:
    """That the main arm could serve this version. Raises VersionNotFound, RolloutImpossible."""
    version = await catalogue.version(main.target.model, number)
    if version is None:
        raise VersionNotFound(main.target.model, number)
    if number == main.resolved:
        raise RolloutImpossible(endpoint.name, f"version {number} serves already; give another one")
    default = endpoint.spec.fallback
    if isinstance(default, DefaultAnswer) and (why := unfit(default, version.draft.signature)):
        told = f"the endpoint's default answer is none of version {number}, for it {why}; put another one first"
        raise RolloutImpossible(endpoint.name, told)


async def _put(catalogue: Writer, endpoint: Endpoint, rollout: Rollout, now: datetime, why: Why) -> Endpoint:
    spec = await resolve(catalogue, under(rollout, endpoint.spec), rollout)
    return await put(catalogue, endpoint.name, spec, why, now)


async def _endpoint(catalogue: Reader, name: str) -> Endpoint:
    endpoint = await catalogue.endpoint(name)
    if endpoint is None:
        raise EndpointNotFound(name)
    return endpoint
