"""The prediction log: a spool on disk, whose frames become events."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.inference_gateway import codec
from services.inference_gateway.domain.answer import Answer, Draft
from services.inference_gateway.domain.errors import PredictionTooLarge
from services.inference_gateway.ports import Backlog, Remembered
from slipway.errors import Exhausted, Unavailable
from slipway.events import DEFAULT_LIMIT_BYTES, Event, Span
from slipway.spool import FrameTooLarge, Position, Spool, SpoolFull
from slipway.spool.frame import HEADER_BYTES

TOPIC = "inference.predictions.v1"
TYPE = "slipway.inference.predictions"

# Of what was appended, so much is kept at hand for shipping: reading it back from the file costs more than writing it.
_AT_HAND_BYTES = 8 * 1024 * 1024
_LEAST_BYTES = 1024  # that a frame counts for, which bounds their number
# What is recalled at the start: after a long outage of the event bus far more may wait, and callers do, too.
_REPLAYED_BYTES = 64 * 1024 * 1024
_HEAD = struct.Struct("<HQ")  # bytes of the key, microseconds since 1970 UTC


class LogFull(Exhausted):
    """The answers of one request are more than the whole spool holds."""

    reason = "LOG_FULL"


class SpooledLog:
    """See :class:`services.inference_gateway.ports.PredictionLog`.

    A frame is one :class:`PredictionBatch` with its key and time before it, small enough for an event. An event's
    id is its frame's place in this very spool, so that a batch shipped again after a crash is the same event.
    How far was shipped is made durable by :meth:`sync` alone: until then a crash ships some again, under the same ids.
    """

    def __init__(self, spool: Spool, limit_bytes: int, event_limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._spool = spool
        self._limit_bytes = limit_bytes
        self._event_limit_bytes = event_limit_bytes
        self._gateway_id = f"gateway-{spool.identity}"
        self._shipped = spool.acknowledged
        self._pending = spool.count_pending()
        self._pending_bytes = spool.pending_bytes
        self._at_hand: deque[tuple[Position, bytes]] = deque()
        """The newest frames that wait."""
        self._at_hand_bytes = 0

    def draft(self, answer: Answer) -> Draft:
        """See PredictionLog."""
        return codec.encode_draft(answer)

    def append(self, answers: Sequence[Answer], now: datetime) -> None:
        """See PredictionLog."""
        frames: list[bytes] = []
        for answer in answers:
            self._add_frames(frames, answer, now)
        try:
            try:
                positions = self._spool.append(frames)
            except SpoolFull:
                self._acknowledge()  # what was shipped since the last sync may leave room
                positions = self._spool.append(frames)
        except FrameTooLarge as error:
            raise LogFull(error.message, retry_after_s=1.0) from error
        self._pending += len(frames)
        self._pending_bytes += sum(map(len, frames)) + HEADER_BYTES * len(frames)
        self._at_hand.extend(zip(positions, frames, strict=True))
        self._at_hand_bytes += sum(map(_counted, frames))
        while self._at_hand_bytes > _AT_HAND_BYTES:
            self._put_away()

    def sync(self) -> None:
        """See PredictionLog."""
        self._spool.sync()
        self._acknowledge()

    async def sync_aside(self) -> None:
        """See PredictionLog."""
        syncing = self._spool.begin_sync(self._shipped)
        running = asyncio.ensure_future(asyncio.to_thread(syncing.run))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            # Whoever gives up the spool next must not find a thread in it.
            await asyncio.wait([running])
            with contextlib.suppress(Unavailable):
                self._spool.end_sync(syncing)
            raise
        self._spool.end_sync(syncing)

    def replay(self) -> Iterator[Remembered]:
        """See PredictionLog."""
        for _, frame in self._spool.replay(_REPLAYED_BYTES):
            _, _, value = _open(frame)
            yield from codec.decode_remembered(value)

    def unshipped(self) -> Iterator[Event]:
        """See PredictionLog."""
        at_hand = list(self._at_hand)
        if len(at_hand) < self._pending:
            for position, frame in self._spool.frames(self._shipped):
                if at_hand and position >= at_hand[0][0]:
                    break
                yield self._event(position, frame)
        for position, frame in at_hand:
            yield self._event(position, frame)

    def shipped(self, events: Sequence[Event]) -> None:
        """See PredictionLog."""
        self._shipped = Position.parse(events[-1].id.rpartition("/")[2])
        self._pending -= len(events)
        self._pending_bytes -= sum(HEADER_BYTES + _HEAD.size + event.size_bytes for event in events)
        while self._at_hand and self._at_hand[0][0] <= self._shipped:
            self._put_away()

    def backlog(self) -> Backlog:
        """See PredictionLog."""
        return Backlog(self._pending, self._pending_bytes, self._limit_bytes)

    def _put_away(self) -> None:
        _, frame = self._at_hand.popleft()
        self._at_hand_bytes -= _counted(frame)

    def _acknowledge(self) -> None:
        self._spool.acknowledge(self._shipped)

    def _add_frames(self, frames: list[bytes], answer: Answer, now: datetime) -> None:
        key = answer.batch.endpoint.encode()
        value = codec.encode_batch(answer, now, self._gateway_id)
        size_bytes = len(key) + len(value)
        if size_bytes <= self._event_limit_bytes:
            frames.append(_HEAD.pack(len(key), int(now.timestamp() * 1e6)) + key + value)
        elif answer.batch.rows == 1:
            raise PredictionTooLarge(answer.ids[0], size_bytes, self._event_limit_bytes)
        else:
            for half in answer.halves():
                self._add_frames(frames, half, now)

    def _event(self, position: Position, frame: bytes) -> Event:
        key, time, value = _open(frame)
        file, start = self._spool.place(position)
        span = Span(file, start + len(frame) - len(value), len(value))
        return Event(f"{self._gateway_id}/{position}", TOPIC, key, TYPE, self._gateway_id, time, value, span=span)


def _counted(frame: bytes) -> int:
    return max(len(frame), _LEAST_BYTES)


def _open(frame: bytes) -> tuple[str, datetime, bytes]:
    key_bytes, time_us = _HEAD.unpack_from(frame)
    end = _HEAD.size + key_bytes
    return frame[_HEAD.size : end].decode(), datetime.fromtimestamp(time_us / 1e6, UTC), frame[end:]
