"""The prediction log: a spool on disk, whose frames become events."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from services.inference_gateway import codec
from services.inference_gateway.domain.batch import Answer
from services.inference_gateway.ports import Backlog, Remembered
from slipway.events import Event
from slipway.spool import Position, Spool

TOPIC = "inference.predictions.v1"
TYPE = "slipway.inference.predictions"

_HEAD = struct.Struct("<HQ")  # bytes of the key, microseconds since 1970 UTC


class SpooledLog:
    """See :class:`services.inference_gateway.ports.PredictionLog`.

    A frame is one :class:`PredictionBatch` with its key and time before it. An event's id is its frame's place in
    this very spool, so that a batch shipped again after a crash is the same event.
    """

    def __init__(self, spool: Spool, limit_bytes: int) -> None:
        self._spool = spool
        self._limit_bytes = limit_bytes
        self._gateway_id = f"gateway-{spool.identity}"
        self._pending = sum(1 for _ in self._frames_after(spool.acknowledged))

    def append(self, answers: Sequence[Answer], now: datetime) -> None:
        """See PredictionLog."""
        frames = []
        for answer in answers:
            key = answer.batch.endpoint.encode()
            value = codec.encode_batch(answer, now, self._gateway_id).SerializeToString()
            frames.append(_HEAD.pack(len(key), int(now.timestamp() * 1e6)) + key + value)
        self._spool.append(frames)
        self._pending += len(frames)

    def sync(self) -> None:
        """See PredictionLog."""
        self._spool.sync()

    def replay(self) -> Iterator[Remembered]:
        """See PredictionLog."""
        for _, frame in self._spool.replay():
            _, _, value = _open(frame)
            yield from codec.decode_remembered(value)

    def unshipped(self, limit_bytes: int) -> Sequence[Event]:
        """See PredictionLog."""
        return [
            self._event(position, frame) for position, frame in self._spool.read(self._spool.acknowledged, limit_bytes)
        ]

    def shipped(self, events: Sequence[Event]) -> None:
        """See PredictionLog."""
        self._spool.acknowledge(Position.parse(events[-1].id.rpartition("/")[2]))
        self._pending -= len(events)

    def backlog(self) -> Backlog:
        """See PredictionLog."""
        return Backlog(self._pending, self._spool.pending_bytes, self._limit_bytes)

    def _event(self, position: Position, frame: bytes) -> Event:
        key, time, value = _open(frame)
        return Event(f"{self._gateway_id}/{position}", TOPIC, key, TYPE, self._gateway_id, time, value)

    def _frames_after(self, position: Position) -> Iterator[bytes]:
        while batch := self._spool.read(position, 1024 * 1024):
            for place, frame in batch:
                position = place
                yield frame


def _open(frame: bytes) -> tuple[str, datetime, bytes]:
    key_bytes, time_us = _HEAD.unpack_from(frame)
    end = _HEAD.size + key_bytes
    return frame[_HEAD.size : end].decode(), datetime.fromtimestamp(time_us / 1e6, UTC), frame[end:]
