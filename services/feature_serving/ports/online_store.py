"""Where feature values are while serving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.feature_serving.domain.reading import Found, Lookup
from services.feature_serving.domain.rows import Batch, Row
from services.feature_serving.domain.view import StoreState


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
