"""Training sets: which there are, what they are made of, and who makes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services.feature_serving.domain.training_set import Facts, TrainingSet
from slipway.paging import Page


class SetReader(Protocol):
    """One consistent view of the training sets."""

    async def get(self, set_id: str) -> TrainingSet | None:
        """The one of that id."""
        ...

    async def page(self, page: Page) -> Sequence[tuple[int, TrainingSet]]:
        """Up to ``page.fetch`` of them, newest first, each with its sort key."""
        ...

    async def asked(self, request_id: str) -> tuple[TrainingSet, str] | None:
        """The one that a request was answered with, and the request's fingerprint."""
        ...

    async def made_by(self, recipe_mark: str) -> TrainingSet | None:
        """The one of that recipe, unless it failed."""
        ...

    async def next(self) -> TrainingSet | None:
        """The oldest that is to be made."""
        ...


class SetWriter(SetReader, Protocol):
    """The one writing transaction: all of it commits or none."""

    async def add(self, made: TrainingSet) -> None:
        """Store a new one."""
        ...

    async def remember(self, request_id: str, fingerprint: str, set_id: str) -> None:
        """Store what a request was answered with."""
        ...

    async def finish(self, made: TrainingSet) -> None:
        """Store how one ended, unless it had."""
        ...


class TrainingSets(Protocol):
    """Every training set."""

    def read(self) -> AbstractAsyncContextManager[SetReader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[SetWriter]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...


class Sources(Protocol):
    """Where views' rows lie offline."""

    async def digest(self, path: str) -> str | None:
        """The digest of what is there, empty when nothing is; None for a path that leads out of the sources."""
        ...


@dataclass(frozen=True, slots=True)
class Joined:
    """What a join made: facts, and bytes that are there until its block is left."""

    facts: Facts
    chunks: AsyncIterator[bytes]


class Joiner(Protocol):
    """What makes a training set's bytes, outside of this process."""

    @property
    def code(self) -> str:
        """The digest of what joins, and the engines' versions."""
        ...

    def join(self, made: TrainingSet, spine: AsyncIterator[bytes]) -> AbstractAsyncContextManager[Joined]:
        """Join. Raises JoinFailed for inputs that make no set; left or cancelled, it leaves nothing behind."""
        ...
