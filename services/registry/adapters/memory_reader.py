"""What the catalogue in memory holds, and reading it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from services.registry.domain.changes import Change
from services.registry.domain.endpoint import Endpoint
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias, Model, ModelVersion
from services.registry.domain.revision import EndpointRevision
from services.registry.domain.rollout import Rollout
from slipway.paging import Page

T = TypeVar("T")


@dataclass
class State:
    """Everything that is kept; a transaction works on a copy, so that a snapshot never changes under its reader."""

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

    def copy(self) -> State:
        """One whose changes do not show in this."""
        return State(
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

    def __init__(self, state: State) -> None:
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
        of = (one for one in self._state.rollouts.values() if one.endpoint == endpoint)
        found = sorted(of, key=lambda one: -one.number)
        if page.after:
            before = int(page.after[0])
            found = [one for one in found if one.number < before]
        return found[: page.fetch]

    async def rollout_request(self, request_id: str) -> tuple[Rollout, str] | None:
        """See Reader."""
        if request_id not in self._state.rollout_requests:
            return None
        rollout_id, fingerprint = self._state.rollout_requests[request_id]
        return self._state.rollouts[rollout_id], fingerprint


def _by_name(things: dict[str, T], page: Page) -> Sequence[T]:
    names = sorted(things)
    if page.after:
        last = str(page.after[0])
        names = [name for name in names if name > last]
    return [things[name] for name in names[: page.fetch]]


def _later(things: Iterable[T], revision_of: Callable[[T], int], revision: int) -> list[T]:
    return sorted((thing for thing in things if revision_of(thing) > revision), key=revision_of)
