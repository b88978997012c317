"""One file of frames, named ``<identity>-<number>.frames``."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from slipway.failpoints import hit
from slipway.spool.ahead import Ahead
from slipway.spool.errors import MixedSpools
from slipway.spool.frame import Frame, Gap, Payload, encode, scan, unfinished

_NAME = re.compile(r"([0-9a-f]{16})-([0-9a-f]{8})\.frames")


@dataclass(slots=True)
class Segment:
    """A segment's file; as far as is known, ``end`` is where its last whole frame ends, ``frames`` how many it has."""

    path: Path
    identity: str
    number: int
    end: int
    seed: int
    frames: int = 0

    @classmethod
    def at(cls, root: Path, identity: str, number: int, end: int = 0) -> Segment:
        """The segment of that number; its file may not exist yet."""
        path = root / f"{identity}-{number:08x}.frames"
        return cls(path, identity, number, end, google_crc32c.value(path.name.encode()))

    def scan(self, start: int = 0) -> Iterator[Frame | Gap]:
        """Its frames and gaps from ``start`` to ``end``."""
        fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield from scan(fd, self.seed, start, self.end)
        finally:
            os.close(fd)

    def after(self, offset: int) -> int:
        """Where the frame after the one at ``offset`` begins; with no whole frame there, the next whole one."""
        for found in self.scan(offset):
            if isinstance(found, Frame):
                return found.end if found.offset == offset else found.offset
        return self.end

    def settle(self) -> list[Gap]:
        """Read it all, set ``end`` and ``frames``, and give the gaps, the one at the tail too."""
        gaps, end, frames = [], 0, 0
        for found in self.scan():
            if isinstance(found, Gap):
                gaps.append(found)
            else:
                end, frames = found.end, frames + 1
        self.end, self.frames = end, frames
        return gaps

    def truncate(self) -> None:
        """Cut the file at ``end``, durably."""
        fd = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            hit("spool.cut.before")
            os.ftruncate(fd, self.end)
            os.fsync(fd)
            hit("spool.cut.after")
        finally:
            os.close(fd)


class Unsynced:
    """A segment's bytes up to ``end``, by a descriptor of their own; ``failed`` says that they may be lost."""

    def __init__(self, descriptor: int, end: int) -> None:
        self.end = end
        self.failed = True
        self._descriptor = descriptor

    def sync(self) -> None:
        """Make them durable, in any thread."""
        try:
            _sync(self._descriptor)
            self.failed = False
        finally:
            os.close(self._descriptor)


class Writer:
    """The one segment that is being appended to."""

    def __init__(self, segment: Segment) -> None:
        """Create the segment's file. Its name is durable only when the caller syncs the folder."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self.segment = segment
        self.broken = False
        self._fd = os.open(segment.path, flags, 0o644)
        self._written = self._synced = 0
        self._ahead: Ahead | None = None

    def write_ahead(self, piece: bytes, lead_bytes: int) -> None:
        """See :meth:`Spool.write_ahead`."""
        start = self.segment.end
        try:
            self.cut_ahead()
            hit("spool.ahead.before")
            self._ahead = Ahead(start, lead_bytes, piece)
            size = lead_bytes + len(piece)
            # In this order: an end that is missing makes nothing of what is there.
            _write(self._fd, unfinished(size, self.segment.seed, start) + bytes(lead_bytes), start)
            _write(self._fd, piece, self._ahead.offset)
            hit("spool.ahead.after")
        except OSError:
            # The append that follows finds the same disk, and tells of it.
            if self._ahead is not None:
                self._ahead = self._ahead._replace(lead_bytes=-1)  # no frame's
                with contextlib.suppress(OSError):
                    self.cut_ahead()

    def append(self, payloads: Sequence[Payload], *, durable: bool) -> list[int]:
        """Write the frames, synced if ``durable``; gives their offsets. All or none.

        On an OSError what was written is cut away again; where even that fails, the writer is ``broken``.
        """
        start = self.segment.end
        parts, offsets = encode(payloads, self.segment.seed, start)
        end = start + sum(map(len, parts))
        try:
            hit("spool.append.before")
            if self._ahead is not None and self._ahead.is_of(payloads):
                _write(self._fd, b"".join(parts[3:]), self._ahead.end)
                del parts[2:]  # the header is the last to be written: without it nothing is there
                self._ahead = None
            else:
                self.cut_ahead()
            _write(self._fd, b"".join(parts), start)
            self._written = end
            hit("spool.append.after")
            if durable:
                self.sync()
        except OSError:
            self._undo(start)
            raise
        self.segment.end = end
        self.segment.frames += len(payloads)
        return offsets

    def sync(self) -> None:
        """Make all that was appended durable."""
        if self._written == self._synced:
            return
        try:
            _sync(self._fd)
        except OSError:
            # The kernel may have dropped the pages: a second sync would succeed and mean nothing.
            self.broken = True
            raise
        self._synced = self._written

    def begin_sync(self) -> Unsynced | None:
        """What was appended until now, to be made durable by another thread; None when all of it is."""
        if self.broken or self._written == self._synced:
            return None
        return Unsynced(os.dup(self._fd), self._written)

    def end_sync(self, made: Unsynced) -> None:
        """Take over how that went."""
        if made.failed:
            self.broken = True
        else:
            self._synced = max(self._synced, made.end)

    def cut_ahead(self) -> None:
        """Let what was written ahead go, which is no frame's. Raises OSError; does nothing where the file is broken."""
        if self._ahead is not None and not self.broken:
            os.ftruncate(self._fd, self.segment.end)
            self._ahead = None

    def close(self) -> None:
        """Give up the file, synced or not."""
        os.close(self._fd)

    def _undo(self, start: int) -> None:
        self._ahead = None
        try:
            os.ftruncate(self._fd, start)
            self._written = start
        except OSError:
            self.broken = True


def _write(descriptor: int, data: bytes, offset: int) -> None:
    written = os.pwrite(descriptor, data, offset)
    while written < len(data):
        written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)


def _sync(descriptor: int) -> None:
    hit("spool.sync.before")
    os.fdatasync(descriptor)
    hit("spool.sync.after")


def find_segments(root: Path) -> list[Segment]:
    """The segments in a folder by number, each ending where its file does. Fails with MixedSpools."""
    named = [(path, match) for path in root.iterdir() if (match := _NAME.fullmatch(path.name))]
    found = [Segment.at(root, match[1], int(match[2], 16), path.stat().st_size) for path, match in named]
    found.sort(key=lambda segment: segment.number)
    for segment in found:
        if segment.identity != found[0].identity:
            raise MixedSpools(str(root), segment.path.name)
    return found
