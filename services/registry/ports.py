"""What the registry's engine needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from services.registry.domain.changes import Change
from services.registry.domain.endpoint import Endpoint, EndpointSpec
from services.registry.domain.history import AliasMove
from services.registry.domain.model import Alias, Draft, Model, ModelVersion
from services.registry.domain.revision import EndpointRevision, Why
from services.registry.domain.rollout import Rollout
from slipway.paging import Page


class Reader(Protocol):
    """One consistent view of the catalogue."""

    async def model(self, name: str) -> Model | None:
        """The model with its aliases."""
        ...

    async def models(self, page: Page) -> Sequence[Model]:
        """Up to ``page.fetch`` models by name."""
        ...

    async def version(self, model: str, number: int) -> ModelVersion | None:
        """One version."""
        ...

    async def versions(self, model: str, page: Page) -> Sequence[ModelVersion]:
        """Up to ``page.fetch`` versions, newest first."""
        ...

    async def registration(self, request_id: str) -> tuple[ModelVersion, str] | None:
        """The version registered under a request id, and the fingerprint of its body."""
        ...

    async def alias(self, model: str, name: str) -> Alias | None:
        """One alias."""
        ...

    async def alias_moves(self, model: str, name: str) -> Sequence[AliasMove]:
        """Where the alias has pointed, oldest first."""
        ...

    async def endpoint(self, name: str) -> Endpoint | None:
        """One endpoint that is not deleted, with its latest rollout."""
        ...

    async def endpoints(self, page: Page) -> Sequence[Endpoint]:
        """Up to ``page.fetch`` endpoints by name, without the deleted ones."""
        ...

    async def endpoints_following(self, model: str, alias: str) -> Sequence[Endpoint]:
        """Endpoints with a route that follows the alias."""
        ...

    async def endpoints_since(self, revision: int) -> tuple[Sequence[Endpoint], Sequence[str]]:
        """Endpoints changed after ``revision``, and the names of those deleted after it."""
        ...

    async def endpoints_with(self, route: str) -> Sequence[Endpoint]:
        """Endpoints with a route of that name."""
        ...

    async def endpoint_revision(self, endpoint: str, revision: int) -> EndpointRevision | None:
        """One revision of an endpoint, if it is kept."""
        ...

    async def endpoint_revisions(self, endpoint: str, page: Page) -> Sequence[EndpointRevision]:
        """Up to ``page.fetch`` revisions of an endpoint, deleted or not, newest first."""
        ...

    async def revision(self) -> int:
        """The revision of the desired state; 0 before the first endpoint."""
        ...

    async def rollout(self, rollout_id: str) -> Rollout | None:
        """One rollout."""
        ...

    async def rollouts(self, endpoint: str, page: Page) -> Sequence[Rollout]:
        """Up to ``page.fetch`` rollouts of an endpoint, newest first."""
        ...

    async def rollout_request(self, request_id: str) -> tuple[Rollout, str] | None:
        """The rollout started under a request id, and the fingerprint of its body."""
        ...


class Writer(Reader, Protocol):
    """The one writing transaction: all of it commits, with its announcements, or none."""

    async def add_model(self, model: Model) -> None:
        """Store a new model."""
        ...

    async def add_version(self, draft: Draft, request_id: str, fingerprint: str, now: datetime) -> ModelVersion:
        """Store a new version under the model's next number."""
        ...

    async def put_alias(self, alias: Alias) -> None:
        """Create or move an alias."""
        ...

    async def delete_alias(self, model: str, name: str) -> None:
        """Remove an alias."""
        ...

    async def add_alias_move(self, move: AliasMove) -> None:
        """Add to where the alias has pointed; what is there stays for ever."""
        ...

    async def put_endpoint(self, name: str, spec: EndpointSpec, why: Why, now: datetime) -> Endpoint:
        """Create or replace an endpoint at the next revision, and keep that; its latest rollout is the one added last.

        Of the endpoint's revisions the last ``MAX_KEPT`` stay.
        """
        ...

    async def delete_endpoint(self, name: str, why: Why, now: datetime) -> None:
        """Leave a tombstone at the next revision, and keep that."""
        ...

    async def add_rollout(self, rollout: Rollout, request_id: str, fingerprint: str) -> None:
        """Store a new rollout."""
        ...

    async def update_rollout(self, rollout: Rollout) -> None:
        """Replace where a rollout stands."""
        ...

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """The ids that were not claimed before; from here on they are, if this transaction commits."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop the ids claimed before then; how many."""
        ...

    async def announce(self, change: Change, now: datetime) -> None:
        """Publish ``change`` once this transaction has committed."""
        ...


class Catalogue(Protocol):
    """Everything the registry knows, but the artifacts' bytes."""

    def read(self) -> AbstractAsyncContextManager[Reader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[Writer]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...
