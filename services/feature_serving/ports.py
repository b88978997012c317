"""What feature serving's engine needs from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.feature_serving.domain.advance import Change, Standing
from services.feature_serving.domain.reading import Found, Lookup
from services.feature_serving.domain.rows import Batch, Row, Rows
from services.feature_serving.domain.service import FeatureService, Reference
from services.feature_serving.domain.tiles import Tile
from services.feature_serving.domain.training_set import Facts, TrainingSet
from services.feature_serving.domain.view import FeatureView, StoreState
from services.feature_serving.domain.watermark import Watermark
from slipway.paging import Page


class Reader(Protocol):
    """One consistent view of the catalogue."""

    async def named(self, names: Sequence[str]) -> Mapping[str, FeatureView]:
        """The views of those names that exist, by name."""
        ...

    async def views(self, page: Page) -> Sequence[FeatureView]:
        """Up to ``page.fetch`` views by name."""
        ...

    async def services_named(self, names: Sequence[str]) -> Mapping[str, FeatureService]:
        """The feature services of those names that exist, by name."""
        ...

    async def services(self, page: Page) -> Sequence[FeatureService]:
        """Up to ``page.fetch`` feature services by name."""
        ...

    async def users(self, views: Sequence[str]) -> Mapping[Reference, str]:
        """The features of those views that some feature service names, with the first such service's name."""
        ...


class Writer(Reader, Protocol):
    """The one writing transaction: all of it commits or none."""

    async def put(self, view: FeatureView) -> None:
        """Store a view in place of the one of its name."""
        ...

    async def put_service(self, service: FeatureService) -> None:
        """Store a feature service in place of the one of its name."""
        ...


class Catalogue(Protocol):
    """Every feature view and feature service."""

    def read(self) -> AbstractAsyncContextManager[Reader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[Writer]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...


class Watermarks(Protocol):
    """How far each view has come; it never goes back."""

    async def raise_to(self, watermarks: Sequence[Watermark]) -> None:
        """Store those that are higher than what is stored for their view."""
        ...

    async def several(self, views: Sequence[str]) -> Mapping[str, Watermark]:
        """Those of the views that have one."""
        ...

    async def page(self, page: Page) -> Sequence[Watermark]:
        """Up to ``page.fetch`` of them by view."""
        ...


class WindowReader(Protocol):
    """One snapshot of what windowed views' events have left behind."""

    async def standings(self, views: Sequence[str]) -> Mapping[str, Standing]:
        """Where each of the views stands."""
        ...

    async def tiles(self, view: str, columns: Sequence[str]) -> Sequence[Tile]:
        """All that is stored of a view, with the partials of those columns in that order."""
        ...

    async def unfinished(self) -> Sequence[str]:
        """The views whose events are complete further than their values have come."""
        ...


class WindowWriter(WindowReader, Protocol):
    """The one writing transaction."""

    async def claim(self, event_ids: Sequence[str], now: datetime) -> set[str]:
        """Those of the ids that nobody claimed before; from here on they are claimed."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop the ids claimed before then; how many."""
        ...

    async def put(self, changes: Sequence[Change], now: datetime) -> None:
        """Store each tile in place of the one of its hop and entity, and where the views stand."""
        ...

    async def reach(self, watermarks: Sequence[Watermark]) -> None:
        """Raise the views' watermarks; a lower one changes nothing."""
        ...

    async def trim(self, before_us: Mapping[str, int]) -> None:
        """Forget, of each view, the tiles of hops that started before then."""
        ...


class Windows(Protocol):
    """What windowed views' events have left behind."""

    def read(self) -> AbstractAsyncContextManager[WindowReader]:
        """A snapshot."""
        ...

    def write(self) -> AbstractAsyncContextManager[WindowWriter]:
        """A transaction; committed on leaving, rolled back by an exception."""
        ...


class OnlineStore(Protocol):
    """Where feature values are while serving.

    All but ``state`` raise OnlineStoreUnavailable, and ForeignData when a key holds something else.
    """

    async def state(self) -> StoreState:
        """How it stands just now. Never raises for a store that is down or slow: it says so, within a second."""
        ...

    async def read(self, asked: Sequence[Lookup]) -> Sequence[Sequence[Found]]:
        """What each lookup finds, key by key, in one round trip however many there are."""
        ...

    async def stamps(self, keys: Sequence[bytes], field: bytes) -> Found:
        """One field of many keys."""
        ...

    async def swap(self, batch: Batch, rows: Sequence[Row], expected: Found) -> Sequence[bool]:
        """Write each row unless its event time is no longer the ``expected`` one; which were written.

        Every row is written whole or not at all, and no other writer comes between comparing and writing.
        """
        ...


class Wholeness(Protocol):
    """Whether the online store holds all that was written to it. Every method raises OnlineStoreUnavailable."""

    async def whole(self) -> bool:
        """False where it was emptied, restarted or replaced since it was said to be whole."""
        ...

    async def begin(self) -> str:
        """Say that its values are being written again; the mark to end that with."""
        ...

    async def end(self, mark: str) -> bool:
        """Say that it is whole, unless it has lost its values since the mark was made: False."""
        ...


class Pushed(Protocol):
    """The newest row of each entity that came by a call, for no log has it."""

    async def keep(self, view: str, batch: Batch, watermarks: Sequence[Watermark]) -> None:
        """Store the rows that are not older than what is stored of their entities, and raise the watermarks."""
        ...

    def batches(self) -> AsyncIterator[Batch]:
        """All that are stored."""
        ...


class Past(Protocol):
    """Rows that were published before."""

    def rows(self) -> AsyncIterator[Rows]:
        """All that are kept, each entity's in their order; those that no view takes are among them."""
        ...


class Meters(Protocol):
    """What operators watch."""

    def written(self, applied: int, late: int) -> None:
        """So many rows took effect, and so many did not."""
        ...

    def dead_lettered(self) -> None:
        """An event could not be used."""
        ...


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
