"""The spool: bounds, acknowledgement and retention over a journal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from slipway.errors import invalid_field
from slipway.spool.checkpoint import Checkpoint
from slipway.spool.errors import NO_ROOM, FrameTooLarge, SpoolFull, SpoolUnavailable, disk_errors
from slipway.spool.frame import HEADER_BYTES, Payload, length
from slipway.spool.journal import Journal
from slipway.spool.lock import Lock
from slipway.spool.position import Position
from slipway.spool.syncing import Syncing

Sync = Literal["always", "interval"]
_MOST_BYTES = 1 << 31  # of a segment or a batch: an offset renders as 8 hex digits


@dataclass(frozen=True, slots=True)
class _Bounds:
    segment_bytes: int
    limit_bytes: int
    retain_bytes: int
    sync: Sync

    def __post_init__(self) -> None:
        for field, least in (("segment_bytes", 1), ("limit_bytes", HEADER_BYTES + 1), ("retain_bytes", 0)):
            if getattr(self, field) < least:
                raise invalid_field(field, f"must be at least {least} bytes")
        if self.segment_bytes > _MOST_BYTES:
            raise invalid_field("segment_bytes", f"must be at most {_MOST_BYTES}")
        if self.sync not in ("always", "interval"):
            raise invalid_field("sync", "must be 'always' or 'interval'")


class Spool:
    """A queue of frames on disk, for one thread. A context manager, or :meth:`close` it.

    The disk holds at most ``limit_bytes`` that wait, ``retain_bytes`` that are acknowledged, and one
    segment. The methods fail with :class:`SpoolUnavailable` when the disk does.
    """

    def __init__(
        self, lock: Lock, checkpoint: Checkpoint, journal: Journal, bounds: _Bounds, acknowledged: Position
    ) -> None:
        self._lock = lock
        self._checkpoint = checkpoint
        self._journal = journal
        self._bounds = bounds
        self._acknowledged = acknowledged
        self._pending_bytes = 0
        self._settle(acknowledged)

    @classmethod
    def open(cls, root: Path, *, segment_bytes: int, limit_bytes: int, sync: Sync, retain_bytes: int = 0) -> Spool:
        """Open or make the spool in a folder; what waits there is read once to find damage.

        ``limit_bytes`` bounds the frames that wait (12 bytes more than each payload); ``retain_bytes`` bounds
        the acknowledged segments kept for :meth:`replay` beside the active one; a segment ends at about
        ``segment_bytes``. With ``sync`` "always" a frame is on the disk when ``append`` returns; with
        "interval" it is the kernel's, and the caller calls :meth:`sync` as often as a power cut may cost.
        Fails with InvalidInput on a bound, :class:`SpoolLocked`, :class:`MixedSpools`.
        """
        bounds = _Bounds(segment_bytes, limit_bytes, retain_bytes, sync)
        with disk_errors():
            root.mkdir(parents=True, exist_ok=True)
            lock = Lock(root)
            try:
                checkpoint = Checkpoint(root)
                acknowledged = checkpoint.load()
                return cls(lock, checkpoint, Journal(root, acknowledged), bounds, acknowledged)
            except BaseException:
                lock.close()
                raise

    @property
    def identity(self) -> str:
        """16 hex digits drawn when the folder was first opened: no two spools share them."""
        return self._journal.identity

    @property
    def acknowledged(self) -> Position:
        """The last acknowledged position: where a reader goes on after a restart."""
        return self._acknowledged

    @property
    def pending_bytes(self) -> int:
        """Bytes on disk that wait for acknowledgement, headers included."""
        return self._pending_bytes

    @property
    def end(self) -> Position:
        """Behind every frame that was appended; those to come are at or after it."""
        return Position(self._journal.active.number, self._journal.active.end)

    def count_pending(self) -> int:
        """How many frames wait for acknowledgement; it reads a segment."""
        with disk_errors():
            return self._journal.frames_after(self._acknowledged)

    @property
    def corrupt_bytes(self) -> int:
        """Damaged bytes skipped since opening."""
        return self._journal.gap_bytes

    @property
    def corrupt_frames(self) -> int:
        """Damaged stretches skipped since opening; each has cost at least a frame, or part of one."""
        return self._journal.gap_count

    @property
    def torn_bytes(self) -> int:
        """Bytes of an unfinished append that were cut from the tail on opening."""
        return self._journal.torn_bytes

    def write_ahead(self, piece: bytes, lead_bytes: int) -> None:
        """Write a large piece of the frame that is likely to be appended next, while nobody waits for it.

        It keeps nothing. If the next :meth:`append` is of one frame that has this very object as the second of its
        pieces, behind ``lead_bytes``, only the rest is written then; if not, it was in vain. So it is where the disk
        has an error.
        """
        self._journal.write_ahead(piece, lead_bytes)

    def append(self, frames: Sequence[Payload]) -> list[Position]:
        """Write the frames, as a rule by one call to the operating system, and give the position of each.

        When it raises, none of them was kept: :class:`SpoolFull` (too much waits, or the disk is full),
        :class:`FrameTooLarge` (the batch would not fit an empty spool), :class:`SpoolUnavailable`. (A disk
        that fails and then refuses to take the write back may still show the frames after a restart.)
        """
        if not frames:
            return []
        size = sum(map(length, frames)) + HEADER_BYTES * len(frames)
        bounds = self._bounds
        if size > min(bounds.limit_bytes, _MOST_BYTES):
            raise FrameTooLarge(size, min(bounds.limit_bytes, _MOST_BYTES))
        if self._pending_bytes + size > bounds.limit_bytes:
            raise SpoolFull(self._pending_bytes, bounds.limit_bytes, cause="limit")
        try:
            positions = self._journal.append(
                frames, roll_at=bounds.segment_bytes - size, durable=bounds.sync == "always"
            )
        except OSError as error:
            if error.errno in NO_ROOM:
                raise SpoolFull(self._pending_bytes, bounds.limit_bytes, cause="disk") from error
            raise SpoolUnavailable from error
        self._pending_bytes += size
        return positions

    def sync(self) -> None:
        """Make every appended frame survive a power cut. When it raises, those since the last one may not."""
        with disk_errors():
            self._journal.sync()

    def begin_sync(self, acknowledged: Position) -> Syncing:
        """Like :meth:`sync` and :meth:`acknowledge`, of what was appended until now, for another thread to do.

        Its ``run`` is that thread's; then :meth:`end_sync` is this one's. Meanwhile the spool can be used as ever.
        """
        self._require_readable(acknowledged)
        with disk_errors():
            return Syncing(self._journal.begin_sync(), self._checkpoint, acknowledged)

    def end_sync(self, made: Syncing) -> None:
        """Take over what was made durable. When it raises, some of it may not be."""
        self._journal.end_sync(made.unsynced)
        if made.error is not None:
            raise SpoolUnavailable from made.error
        if made.acknowledged > self._acknowledged:
            self._settle(made.acknowledged)

    def frames(self, after: Position) -> Iterator[tuple[Position, bytes]]:
        """The frames that follow ``after``, in order, read as they are taken.

        What is appended meanwhile may be left out. Begin at :attr:`acknowledged`; an earlier position reads again what
        is retained.
        """
        with disk_errors():
            yield from self._journal.frames(after)

    def place(self, position: Position) -> tuple[Path, int]:
        """The file of a frame that is kept, and the first byte of its payload there.

        Nothing before a frame's end is ever changed, but the file is removed when all of it is done with.
        """
        return self._journal.file(position.segment), position.offset + HEADER_BYTES

    def replay(self, newest_bytes: int | None = None) -> Iterator[tuple[Position, bytes]]:
        """Every frame that is still kept, acknowledged or not, in order.

        With ``newest_bytes`` those of the last segments alone, which hold at least so much.
        """
        with disk_errors():
            first = 0 if newest_bytes is None else self._journal.newest(newest_bytes)
            yield from self._journal.frames(first=first)

    def acknowledge(self, position: Position) -> None:
        """Never give the frames up to and with this one again; durable when it returns.

        An earlier position than :attr:`acknowledged` changes nothing. Fails with InvalidInput on a position
        where no frame can lie yet.
        """
        if position <= self._acknowledged:
            return
        self._require_readable(position)
        with disk_errors():
            self._checkpoint.store(position)
            self._settle(position)

    def close(self) -> None:
        """Sync and let another process open the spool."""
        try:
            with disk_errors():
                self._journal.close()
        finally:
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _require_readable(self, position: Position) -> None:
        active = self._journal.active
        if position > self._acknowledged and position >= (active.number, active.end):
            raise invalid_field("position", f"{position} lies past the last frame; give one that was read")

    def _settle(self, acknowledged: Position) -> None:
        """Take over a position, count what waits behind it, and drop what retention no longer covers."""
        self._acknowledged = acknowledged
        self._pending_bytes = self._journal.bytes_after(acknowledged)
        done = [segment for segment in self._journal.closed if self._journal.is_done(segment, acknowledged)]
        retained_bytes = sum(segment.end for segment in done)
        for segment in done:
            if retained_bytes <= self._bounds.retain_bytes:
                break
            retained_bytes -= segment.end
            self._journal.drop(segment)
