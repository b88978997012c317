"""The catalogue in memory, for tests of engines: the same promises, but it forgets everything with its process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from services.registry.domain.changes import Change
from services.registry.domain.endpoint import Endpoint, EndpointSpec
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias, Draft, Model, ModelVersion
from services.registry.domain.revision import MAX_KEPT, EndpointRevision, Why
from services.registry.domain.rollout import Rollout
from slipway.paging import Page

T = TypeVar("T")


@dataclass
class _State:
    """Everything; a transaction works on a copy, so that a snapshot never changes under its reader."""

    models: dict[str, Model] = field(default_factory=dict)
    versions: dict[tuple[str, int], ModelVersion] = field(default_factory=dict)
    registrations: dict[str, tuple[ModelVersion, str]] = field(default_factory=dict)
    aliases: dict[tuple[str, str], Alias] = field(default_factory=dict)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    tombstones: dict[str, int] = field(default_factory=dict)
    announced: list[Change] = field(default_factory=list)
    moves: list[AliasMove] = field(default_factory=list)
    rollouts: dict[str, Rollout] = field(default_factory=dict)
    rollout_requests: dict[str, tuple[str, str]] = field(default_factory=dict)
    claimed: dict[str, datetime] = field(default_factory=dict)
    revisions: dict[str, tuple[EndpointRevision, ...]] = field(default_factory=dict)
    revision: int = 0

    def copy(self) -> _State:
        return _State(
            dict(self.models),
            dict(self.versions),
            dict(self.registrations),
            dict(self.aliases),
            dict(self.endpoints),
            dict(self.tombstones),
            list(self.announced),
            list(self.moves),
            dict(self.rollouts),
            dict(self.rollout_requests),
            dict(self.claimed),
            dict(self.revisions),
            self.revision,
        )


class MemoryReader:
    """One snapshot of the catalogue."""

    def __init__(self, state: _State) -> None:
        self._state = state

    async def model(self, name: str) -> Model | None:
        """See Reader."""
        model = self._state.models.get(name)
        return self._with_aliases(model) if model else None

    async def models(self, page: Page) -> Sequence[Model]:
        """See Reader."""
        return [self._with_aliases(model) for model in _by_name(self._state.models, page)]

    def _with_aliases(self, model: Model) -> Model:
        own = [alias for (of, _), alias in sorted(self._state.aliases.items()) if of == model.name]
        return replace(model, aliases=tuple(own))

    async def version(self, model: str, number: int) -> ModelVersion | None:
        """See Reader."""
        return self._state.versions.get((model, number))

    async def versions(self, model: str, page: Page) -> Sequence[ModelVersion]:
        """See Reader."""
        numbers = sorted((number for of, number in self._state.versions if of == model), reverse=True)
        if page.after:
            before = int(page.after[0])
            numbers = [number for number in numbers if number < before]
        return [self._state.versions[model, number] for number in numbers[: page.fetch]]

    async def registration(self, request_id: str) -> tuple[ModelVersion, str] | None:
        """See Reader."""
        return self._state.registrations.get(request_id)

    async def alias(self, model: str, name: str) -> Alias | None:
        """See Reader."""
        return self._state.aliases.get((model, name))

    async def alias_moves(self, model: str, name: str) -> Sequence[AliasMove]:
        """See Reader."""
        return [move for move in self._state.moves if (move.model, move.alias) == (model, name)]

    async def endpoint(self, name: str) -> Endpoint | None:
        """See Reader."""
        return self._state.endpoints.get(name)

    async def endpoints(self, page: Page) -> Sequence[Endpoint]:
        """See Reader."""
        return _by_name(self._state.endpoints, page)

    async def endpoints_following(self, model: str, alias: str) -> Sequence[Endpoint]:
        """See Reader."""
        return [
            endpoint
            for _, endpoint in sorted(self._state.endpoints.items())
            if any((route.target.model, route.target.alias) == (model, alias) for route in endpoint.routes)
        ]

    async def endpoints_since(self, revision: int) -> tuple[Sequence[Endpoint], Sequence[str]]:
        """See Reader."""
        alive = _later(self._state.endpoints.values(), lambda endpoint: endpoint.revision, revision)
        gone = _later(self._state.tombstones.items(), lambda tombstone: tombstone[1], revision)
        return alive, [name for name, _ in gone]

    async def endpoints_with(self, route: str) -> Sequence[Endpoint]:
        """See Reader."""
        found = (endpoint for _, endpoint in sorted(self._state.endpoints.items()))
        return [endpoint for endpoint in found if any(one.name == route for one in endpoint.routes)]

    async def endpoint_revision(self, endpoint: str, revision: int) -> EndpointRevision | None:
        """See Reader."""
        return next((one for one in self._state.revisions.get(endpoint, ()) if one.revision == revision), None)

    async def endpoint_revisions(self, endpoint: str, page: Page) -> Sequence[EndpointRevision]:
        """See Reader."""
        before = int(page.after[0]) if page.after else self._state.revision + 1
        newest_first = reversed(self._state.revisions.get(endpoint, ()))
        return [one for one in newest_first if one.revision < before][: page.fetch]

    async def revision(self) -> int:
        """See Reader."""
        return self._state.revision

    async def rollout(self, rollout_id: str) -> Rollout | None:
        """See Reader."""
        return self._state.rollouts.get(rollout_id)

    async def rollouts(self, endpoint: str, page: Page) -> Sequence[Rollout]:
        """See Reader."""
        return _rollouts(self._state, endpoint, page)

    async def rollout_request(self, request_id: str) -> tuple[Rollout, str] | None:
        """See Reader."""
        if request_id not in self._state.rollout_requests:
            return None
        rollout_id, fingerprint = self._state.rollout_requests[request_id]
        return self._state.rollouts[rollout_id], fingerprint


class MemoryWriter(MemoryReader):
    """The writing transaction."""

    async def add_model(self, model: Model) -> None:
        """See Writer."""
        self._state.models[model.name] = replace(model, aliases=(), latest_version=0)

    async def add_version(self, draft: Draft, request_id: str, fingerprint: str, now: datetime) -> ModelVersion:
        """See Writer."""
        model = self._state.models[draft.model]
        version = ModelVersion(model.latest_version + 1, draft, now)
        self._state.models[draft.model] = replace(model, latest_version=version.number)
        self._state.versions[draft.model, version.number] = version
        self._state.registrations[request_id] = (version, fingerprint)
        return version

    async def put_alias(self, alias: Alias) -> None:
        """See Writer."""
        self._state.aliases[alias.model, alias.name] = alias

    async def delete_alias(self, model: str, name: str) -> None:
        """See Writer."""
        self._state.aliases.pop((model, name), None)

    async def add_alias_move(self, move: AliasMove) -> None:
        """See Writer."""
        self._state.moves.append(move)

    async def put_endpoint(self, name: str, spec: EndpointSpec, why: Why, now: datetime) -> Endpoint:
        """See Writer."""
        self._keep(name, spec, why, now)
        latest = _rollouts(self._state, name, Page(1, None))
        endpoint = Endpoint(name, spec, self._state.revision, now, latest[0] if latest else None)
        self._state.endpoints[name] = endpoint
        self._state.tombstones.pop(name, None)
        return endpoint

    async def delete_endpoint(self, name: str, why: Why, now: datetime) -> None:
        """See Writer."""
        self._keep(name, None, why, now)
        self._state.endpoints.pop(name, None)
        self._state.tombstones[name] = self._state.revision

    def _keep(self, name: str, spec: EndpointSpec | None, why: Why, now: datetime) -> None:
        self._state.revision += 1
        kept = (*self._state.revisions.get(name, ()), EndpointRevision(name, self._state.revision, spec, why, now))
        self._state.revisions[name] = kept[-MAX_KEPT:]

    async def add_rollout(self, rollout: Rollout, request_id: str, fingerprint: str) -> None:
        """See Writer."""
        self._state.rollouts[rollout.id] = rollout
        self._state.rollout_requests[request_id] = (rollout.id, fingerprint)

    async def update_rollout(self, rollout: Rollout) -> None:
        """See Writer."""
        self._state.rollouts[rollout.id] = rollout

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """See Writer."""
        fresh = set(event_ids) - set(self._state.claimed)
        self._state.claimed.update(dict.fromkeys(fresh, now))
        return fresh

    async def forget(self, before: datetime) -> int:
        """See Writer."""
        old = [event_id for event_id, seen in self._state.claimed.items() if seen < before]
        for event_id in old:
            del self._state.claimed[event_id]
        return len(old)

    async def announce(self, change: Change, now: datetime) -> None:
        """See Writer."""
        self._state.announced.append(change)


class MemoryCatalogue:
    """The catalogue in dictionaries."""

    def __init__(self) -> None:
        self._state = _State()
        self._turn = asyncio.Lock()

    @property
    def announced(self) -> Sequence[Change]:
        """Every committed change, in order."""
        return tuple(self._state.announced)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[MemoryReader]:
        """See Catalogue."""
        yield MemoryReader(self._state)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryWriter]:
        """See Catalogue."""
        async with self._turn:
            draft = self._state.copy()
            yield MemoryWriter(draft)
            self._state = draft


def _by_name(things: dict[str, T], page: Page) -> Sequence[T]:
    names = sorted(things)
    if page.after:
        last = str(page.after[0])
        names = [name for name in names if name > last]
    return [things[name] for name in names[: page.fetch]]


def _rollouts(state: _State, endpoint: str, page: Page) -> Sequence[Rollout]:
    found = sorted((one for one in state.rollouts.values() if one.endpoint == endpoint), key=lambda one: -one.number)
    if page.after:
        before = int(page.after[0])
        found = [one for one in found if one.number < before]
    return found[: page.fetch]


def _later(things: Iterable[T], revision_of: Callable[[T], int], revision: int) -> list[T]:
    return sorted((thing for thing in things if revision_of(thing) > revision), key=revision_of)
