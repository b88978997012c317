"""The catalogue in memory, for tests of engines: the same promises, but it forgets everything with its process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from services.registry.adapters.memory_reader import MemoryReader, State
from services.registry.domain.changes import Change
from services.registry.domain.endpoint import Endpoint, EndpointSpec
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias, Draft, Model, ModelVersion
from services.registry.domain.revision import MAX_KEPT, EndpointRevision, Why
from services.registry.domain.rollout import Rollout
from slipway.paging import Page


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
        latest = await self.rollouts(name, Page(1, None))
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
        self._state = State()
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
