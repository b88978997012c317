"""The prediction log: a spool on disk, whose frames become events."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, takewhile

from services.inference_gateway import codec
from services.inference_gateway.adapters.log_frame import Frame, head_bytes
from services.inference_gateway.adapters.parcel import Done, Parcel, parcels
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
# Of a draft: two calls to the operating system for less take longer than they spare.
_AHEAD_BYTES = 16 * 1024
# What is recalled at the start: after a long outage of the event bus far more may wait, and callers do, too.
_REPLAYED_BYTES = 64 * 1024 * 1024


class LogFull(Exhausted):
    """The answers of one request are more than the whole spool holds."""

    reason = "LOG_FULL"


class SpooledLog:
    """See :class:`services.inference_gateway.ports.PredictionLog`.

    A frame is one :class:`PredictionBatch` with its key and time before it, small enough for an event; small ones that
    wait are shipped together. An event's id is its first frame's place in this very spool, so that what is shipped
    again after a crash is the same event. How far was shipped is made durable by :meth:`sync` alone: until then a
    crash ships some again, under the same ids.
    """

    def __init__(self, spool: Spool, limit_bytes: int, event_limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self._spool = spool
        self._limit_bytes = limit_bytes
        self._event_limit_bytes = event_limit_bytes
        self._gateway_id = f"gateway-{spool.identity}"
        self._shipped = spool.acknowledged
        self._pending = spool.count_pending()
        self._pending_bytes = spool.pending_bytes
        self._at_hand: deque[tuple[Position, Frame]] = deque()
        """The newest frames that wait."""
        self._at_hand_bytes = 0
        self._turn = 1
        self._turn_used = False
        self._told: dict[str, Done] = {}
        """What is shipped with an event, by its id; of those that were looked at last."""

    def draft(self, answer: Answer, *, first: bool) -> Draft:
        """See PredictionLog."""
        draft = codec.encode_draft(answer, self._gateway_id)
        if first and len(draft) >= _AHEAD_BYTES:
            self._spool.write_ahead(draft, head_bytes(answer.batch.endpoint))
        return draft

    def append(self, answers: Sequence[Answer], now: datetime) -> None:
        """See PredictionLog."""
        frames: list[Frame] = []
        now_us = int(now.timestamp() * 1e6)
        for answer in answers:
            self._add_frames(frames, answer, now_us)
        packed = [frame.pack() for frame in frames]
        try:
            try:
                positions = self._spool.append(packed)
            except SpoolFull:
                self._acknowledge()  # what was shipped since the last sync may leave room
                positions = self._spool.append(packed)
        except FrameTooLarge as error:
            raise LogFull(error.message, retry_after_s=1.0) from error
        self._turn_used = True
        self._pending += len(frames)
        for position, frame in zip(positions, frames, strict=True):
            self._pending_bytes += HEADER_BYTES + frame.size_bytes
            self._at_hand.append((position, frame))
            self._at_hand_bytes += _counted(frame)
        while self._at_hand_bytes > _AT_HAND_BYTES:
            self._put_away()

    def sync(self) -> None:
        """See PredictionLog."""
        self._end_turn()
        self._spool.sync()
        self._acknowledge()

    async def sync_aside(self) -> None:
        """See PredictionLog."""
        self._end_turn()
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
            yield from codec.decode_remembered(Frame.unpack(frame).value)

    def unshipped(self) -> Iterator[Event]:
        """See PredictionLog."""
        waiting = self._waiting()
        self._told.clear()
        self._end_turn()
        for parcel in parcels(waiting, self._event_limit_bytes // 2):
            event = self._event(parcel)
            if parcel.done is not None:
                self._told[event.id] = parcel.done
            yield event

    def shipped(self, events: Sequence[Event]) -> None:
        """See PredictionLog."""
        for event in events:
            if (done := self._told.pop(event.id, None)) is not None:
                self._shipped = done.last
                self._pending -= done.frames
                self._pending_bytes -= done.size_bytes + HEADER_BYTES * done.frames
        while self._at_hand and self._at_hand[0][0] <= self._shipped:
            self._put_away()

    def backlog(self) -> Backlog:
        """See PredictionLog."""
        return Backlog(self._pending, self._pending_bytes, self._limit_bytes)

    def _end_turn(self) -> None:
        """What is appended from now on goes with nothing before it: those were looked at, or outlive a power cut."""
        if self._turn_used:
            self._turn, self._turn_used = 3 - self._turn, False

    def _put_away(self) -> None:
        _, frame = self._at_hand.popleft()
        self._at_hand_bytes -= _counted(frame)

    def _acknowledge(self) -> None:
        self._spool.acknowledge(self._shipped)

    def _waiting(self) -> Iterator[tuple[Position, Frame]]:
        """What waits now, whatever comes while it is read."""
        at_hand = list(self._at_hand)
        end = at_hand[0][0] if at_hand else self._spool.end
        stored = self._spool.frames(self._shipped) if len(at_hand) < self._pending else ()
        return chain(((one, Frame.unpack(data)) for one, data in takewhile(lambda one: one[0] < end, stored)), at_hand)

    def _add_frames(self, frames: list[Frame], answer: Answer, now_us: int) -> None:
        pieces = codec.encode_batch(answer, now_us, self._gateway_id)
        frame = Frame(self._turn, answer.batch.endpoint, now_us, pieces)
        size_bytes = len(frame.key.encode()) + frame.value_bytes
        if size_bytes <= self._event_limit_bytes:
            frames.append(frame)
        elif answer.batch.rows == 1:
            raise PredictionTooLarge(answer.ids[0], size_bytes, self._event_limit_bytes)
        else:
            for half in answer.halves():
                self._add_frames(frames, half, now_us)

    def _event(self, parcel: Parcel) -> Event:
        first, *others = parcel.frames
        name = f"{self._gateway_id}/{parcel.position}"
        span = None
        if others:
            # By another release's bounds others may go with it: then it is another event, and nothing is lost.
            name += f"+{len(others)}"
            value = codec.together(first.pieces, [frame.pieces for frame in others])
        else:
            value = first.value
            file, start = self._spool.place(parcel.position)
            span = Span(file, start + first.size_bytes - len(value), len(value))
        time = datetime.fromtimestamp(first.time_us / 1e6, UTC)
        return Event(name, TOPIC, first.key, TYPE, self._gateway_id, time, value, span=span)


def _counted(frame: Frame) -> int:
    return max(frame.value_bytes, _LEAST_BYTES)
