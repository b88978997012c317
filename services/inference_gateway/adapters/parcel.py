"""Small frames that go together: an event costs the gateway, the bus and every reader more than a small batch in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from services.inference_gateway.adapters.log_frame import ALONE, Frame
from slipway.spool import Position

_LARGE_BYTES = 8 * 1024  # of a value: its own work is more than an event's
_MOST_BYTES = 64 * 1024  # whoever waits for the loop waits while so much is put together
_MOST_FRAMES = 512  # each may be a parcel of its own, and who ships takes as many: else no look would end a load


class Done(NamedTuple):
    """What is shipped with a parcel and those before it: all frames up to ``last``, so many more of them and bytes."""

    last: Position
    frames: int
    size_bytes: int


class Parcel(NamedTuple):
    """Frames of one endpoint, in order; ``position`` is the first one's.

    ``done`` is None where others follow that have frames from between these.
    """

    position: Position
    frames: list[Frame]
    done: Done | None


def parcels(waiting: Iterable[tuple[Position, Frame]], most_bytes: int = _MOST_BYTES) -> Iterator[Parcel]:
    """The parcels of all frames from the one after some ``done`` on; of several, ``most_bytes`` in all.

    They depend on nothing else: what is shipped again after a crash is the same parcels, under the same positions.
    Each ends at a large frame, with a turn, with a segment, or where it is full.
    """
    most_bytes = min(most_bytes, _MOST_BYTES)
    load = _Load(most_bytes)
    for position, frame in waiting:
        if not load.takes(position, frame):
            yield from load.parcels()
            load = _Load(most_bytes)
        load.add(position, frame)
    yield from load.parcels()


class _Load:
    """Successive frames that are shipped together: a parcel an endpoint."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._by_key: dict[str, Parcel] = {}
        self._last = Position(0, 0)
        self._turn = ALONE
        self._frames = 0
        self._size_bytes = 0
        self._value_bytes = 0

    def takes(self, position: Position, frame: Frame) -> bool:
        """Whether a frame belongs to those that are here."""
        if not self._frames:
            return True
        value_bytes = frame.value_bytes
        return (
            frame.turn == self._turn != ALONE
            and value_bytes < _LARGE_BYTES
            and self._value_bytes + value_bytes <= self._most_bytes
            and self._frames < _MOST_FRAMES
            and position.segment == self._last.segment
        )

    def add(self, position: Position, frame: Frame) -> None:
        """Have a frame among them."""
        parcel = self._by_key.get(frame.key)
        if parcel is None:
            parcel = self._by_key[frame.key] = Parcel(position, [], None)
        parcel.frames.append(frame)
        self._last = position
        self._turn = frame.turn if frame.value_bytes < _LARGE_BYTES else ALONE
        self._frames += 1
        self._size_bytes += frame.size_bytes
        self._value_bytes += frame.value_bytes

    def parcels(self) -> Iterator[Parcel]:
        """All of them, by their first frames."""
        made = list(self._by_key.values())
        yield from made[:-1]
        if made:
            yield made[-1]._replace(done=Done(self._last, self._frames, self._size_bytes))
