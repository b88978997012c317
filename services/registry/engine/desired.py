"""Endpoints and aliases: the desired state, and how it moves."""

from __future__ import annotations

from services.registry.domain import rollout as rules
from services.registry.domain.arms import at_rest
from services.registry.domain.changes import AliasMoved, EndpointDeleted
from services.registry.domain.endpoint import Endpoint, EndpointSpec, check_endpoint
from services.registry.domain.errors import (
    AliasInUse,
    AliasNotFound,
    EndpointNotFound,
    Moved,
    RolloutRunning,
    VersionNotFound,
)
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias
from services.registry.domain.revision import Cause, Why
from services.registry.domain.rollout import RolloutState
from services.registry.engine.moving import move_alias, require_still
from services.registry.engine.putting import check_reason, put, require_fit, resolve
from services.registry.engine.watch import Watch
from services.registry.ports import Catalogue
from slipway import paging
from slipway.clock import Clock
from slipway.errors import invalid_field
from slipway.naming import resource_name

_DELETED = "the endpoint was deleted"


class Endpoints:
    """Endpoints by name. Every change wakes the watchers after it has committed."""

    def __init__(self, catalogue: Catalogue, watch: Watch, clock: Clock) -> None:
        self._catalogue = catalogue
        self._watch = watch
        self._clock = clock

    async def put(self, name: str, spec: EndpointSpec, expected_revision: int | None, reason: str) -> Endpoint:
        """Create or replace an endpoint; the same again changes nothing.

        Raises InvalidInput, VersionNotFound, AliasNotFound, Moved, RolloutRunning.
        """
        check_endpoint(name, spec)
        check_reason(reason)
        async with self._catalogue.write() as catalogue:
            stored = await catalogue.endpoint(name)
            resolved = await resolve(catalogue, spec)
            await require_fit(catalogue, resolved)
            # Before the expectation: a caller who repeats a call whose answer was lost finds its own work.
            if stored and resolved in _nothing_new(stored):
                return stored
            revision = stored.revision if stored else 0
            if expected_revision is not None and expected_revision != revision:
                raise Moved(f"endpoint {name!r}", expected_revision, revision)
            if stored and stored.rollout and stored.rollout.running:
                raise RolloutRunning(name, stored.rollout.id)
            endpoint = await put(catalogue, name, resolved, Why(Cause.PUT, reason), self._clock.now())
        self._watch.wake()
        return endpoint

    async def get(self, name: str) -> Endpoint:
        """Find one endpoint. Raises EndpointNotFound."""
        resource_name("name", name)
        async with self._catalogue.read() as catalogue:
            endpoint = await catalogue.endpoint(name)
        if endpoint is None:
            raise EndpointNotFound(name)
        return endpoint

    async def list(self, size: int, token: str) -> paging.Slice[Endpoint]:
        """A page of endpoints by name."""
        page = paging.parse(size, token, (str,))
        async with self._catalogue.read() as catalogue:
            rows = await catalogue.endpoints(page)
        return paging.cut(rows, page, lambda endpoint: (endpoint.name,))

    async def delete(self, name: str) -> None:
        """Stop serving an endpoint; a rollout of it ends. Raises EndpointNotFound."""
        resource_name("name", name)
        async with self._catalogue.write() as catalogue:
            endpoint = await catalogue.endpoint(name)
            if endpoint is None:
                raise EndpointNotFound(name)
            now = self._clock.now()
            rollout = endpoint.rollout
            ended = rules.end(rollout, RolloutState.ROLLED_BACK, _DELETED, now) if rollout else None
            if ended:
                await catalogue.update_rollout(ended)
            why = Why(Cause.DELETED, _DELETED, ended.id if ended else "")
            await catalogue.delete_endpoint(name, why, now)
            await catalogue.announce(EndpointDeleted(name), now)
        self._watch.wake()


class Aliases:
    """Aliases of models; endpoints that follow one move with it."""

    def __init__(self, catalogue: Catalogue, watch: Watch, clock: Clock) -> None:
        self._catalogue = catalogue
        self._watch = watch
        self._clock = clock

    async def set(self, model: str, name: str, version: int, expected: int | None) -> Alias:
        """Point an alias at a version. Raises InvalidInput, VersionNotFound, Moved, RolloutRunning."""
        resource_name("model", model)
        resource_name("alias", name)
        if version < 1:
            raise invalid_field("version", "is missing; give the number of a version")
        async with self._catalogue.write() as catalogue:
            stored = await catalogue.alias(model, name)
            current = stored.version if stored else 0
            # Before the expectation: a caller who repeats a call whose answer was lost finds its own work.
            if stored and current == version:
                return stored
            if await catalogue.version(model, version) is None:
                raise VersionNotFound(model, version)
            if expected is not None and expected != current:
                raise Moved(f"alias {name!r} of model {model!r}", expected, current)
            await require_still(catalogue, model, name)
            now = self._clock.now()
            await move_alias(catalogue, AliasMove(model, name, current, version, now))
        self._watch.wake()
        return Alias(model, name, version, now)

    async def delete(self, model: str, name: str) -> None:
        """Remove an alias. Raises AliasNotFound, AliasInUse."""
        resource_name("model", model)
        resource_name("alias", name)
        async with self._catalogue.write() as catalogue:
            stored = await catalogue.alias(model, name)
            if stored is None:
                raise AliasNotFound(model, name)
            if followers := await catalogue.endpoints_following(model, name):
                raise AliasInUse(name, [endpoint.name for endpoint in followers])
            now = self._clock.now()
            await catalogue.delete_alias(model, name)
            await catalogue.add_alias_move(AliasMove(model, name, stored.version, 0, now))
            await catalogue.announce(AliasMoved(model, name, stored.version, 0), now)


def _nothing_new(stored: Endpoint) -> list[EndpointSpec]:
    """What asks for nothing new: what is there, and what a running rollout will give back."""
    told = [stored.spec]
    if stored.rollout and stored.rollout.running:
        told.append(at_rest(stored.rollout, stored.spec))
    return told
