"""The segments of one spool on disk: opening, growing, dropping, and what was found damaged."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from slipway.durable import sync_folder
from slipway.failpoints import hit
from slipway.spool.frame import Frame, Gap, Payload
from slipway.spool.position import Position
from slipway.spool.segment import Segment, Unsynced, Writer, find_segments


class Journal:
    """Every segment by number; the last one, and only it, is written.

    Each opening begins a new segment. A position that was read before a power cut, and whose frame the cut
    took, is therefore never given to another frame.
    """

    def __init__(self, root: Path, acknowledged: Position) -> None:
        """Open a folder, the tail of its last segment cut after its last whole frame."""
        found = find_segments(root)
        self.torn_bytes = 0
        self._root = root
        self._gaps: dict[Position, int] = {}
        self._unsynced: list[Writer] = []
        if found:
            self._cut_tail(found[-1])
        for segment in found[:-1]:
            if segment.number >= acknowledged.segment:
                self._note(segment, segment.settle())
        self.identity = found[0].identity if found else secrets.token_hex(8)
        self._segments = {segment.number: segment for segment in found}
        self._last_number = max(acknowledged.segment, *self._segments, 0)
        self._writer = self._begin()
        for segment in found:
            if not segment.end:
                self.drop(segment)

    @property
    def gap_count(self) -> int:
        """Stretches of damaged bytes met since opening."""
        return len(self._gaps)

    @property
    def gap_bytes(self) -> int:
        """Damaged bytes met since opening."""
        return sum(self._gaps.values())

    @property
    def active(self) -> Segment:
        """The segment that grows."""
        return self._writer.segment

    @property
    def closed(self) -> list[Segment]:
        """The others, oldest first."""
        return list(self._segments.values())[:-1]

    def write_ahead(self, piece: bytes, lead_bytes: int) -> None:
        """See :meth:`Spool.write_ahead`."""
        if not self._writer.broken:
            self._writer.write_ahead(piece, lead_bytes)

    def append(self, payloads: Sequence[Payload], *, roll_at: int, durable: bool) -> list[Position]:
        """Write a batch into one segment: a new one where the active has passed byte ``roll_at``."""
        if self._writer.broken or (self.active.end and self.active.end > roll_at):
            self._roll()
        number = self.active.number
        return [Position(number, offset) for offset in self._writer.append(payloads, durable=durable)]

    def frames(self, after: Position | None = None, first: int = 0) -> Iterator[tuple[Position, bytes]]:
        """Every frame after a position, or every one that is kept from segment ``first`` on.

        Damage is noted and passed over.
        """
        first = max(first, after.segment if after else 0)
        for segment in list(self._segments.values()):
            if segment.number not in self._segments or segment.number < first:
                continue
            start = segment.after(after.offset) if after and segment.number == after.segment else 0
            for found in segment.scan(start):
                if isinstance(found, Frame):
                    yield Position(segment.number, found.offset), found.payload
                else:
                    self._note(segment, [found])

    def file(self, number: int) -> Path:
        """The file of a segment."""
        return self._segments[number].path

    def newest(self, size_bytes: int) -> int:
        """The segment from which on at least so many bytes are kept, or all."""
        for segment in reversed(self._segments.values()):
            size_bytes -= segment.end
            if size_bytes <= 0:
                return segment.number
        return 0

    def frames_after(self, position: Position) -> int:
        """How many whole frames follow the one at ``position``."""
        total = 0
        for segment in self._segments.values():
            if segment.number > position.segment:
                total += segment.frames
            elif segment.number == position.segment:
                found = segment.scan(segment.after(position.offset))
                total += sum(isinstance(one, Frame) for one in found)
        return total

    def bytes_after(self, position: Position) -> int:
        """Bytes on disk that follow the frame at ``position``."""
        total = 0
        for segment in self._segments.values():
            if segment.number > position.segment:
                total += segment.end
            elif segment.number == position.segment:
                total += segment.end - segment.after(position.offset)
        return total

    def is_done(self, segment: Segment, position: Position) -> bool:
        """Whether no frame of a segment follows ``position``."""
        if segment.number == position.segment:
            return segment.after(position.offset) >= segment.end
        return segment.number < position.segment

    def drop(self, segment: Segment) -> None:
        """Remove a closed segment."""
        del self._segments[segment.number]
        hit("spool.drop.before")
        segment.path.unlink(missing_ok=True)
        hit("spool.drop.after")

    def sync(self) -> None:
        """Make every appended frame durable."""
        while self._unsynced:
            self._unsynced[0].sync()
            self._unsynced.pop(0).close()
        self._writer.sync()

    def begin_sync(self) -> list[tuple[Writer, Unsynced]]:
        """What was appended until now, to be made durable by another thread, oldest first."""
        begun = [(writer, writer.begin_sync()) for writer in (*self._unsynced, self._writer)]
        return [(writer, unsynced) for writer, unsynced in begun if unsynced is not None]

    def end_sync(self, made: Sequence[tuple[Writer, Unsynced]]) -> None:
        """Take over how that went."""
        for writer, unsynced in made:
            writer.end_sync(unsynced)
            if not unsynced.failed and writer in self._unsynced:
                self._unsynced.remove(writer)
                writer.close()

    def close(self) -> None:
        """Sync what can be synced and give up the files."""
        try:
            try:
                self._writer.cut_ahead()
            finally:
                self.sync()
        finally:
            for writer in [*self._unsynced, self._writer]:
                writer.close()

    def _begin(self) -> Writer:
        # Counted first: a beginning that fails may leave its file behind.
        self._last_number += 1
        hit("spool.rotate.before")
        writer = Writer(Segment.at(self._root, self.identity, self._last_number))
        sync_folder(self._root)
        hit("spool.rotate.after")
        self._segments[self._last_number] = writer.segment
        return writer

    def _roll(self) -> None:
        old = self._writer
        old.cut_ahead()
        self._writer = self._begin()
        if old.broken:
            old.close()
        else:
            self._unsynced.append(old)

    def _cut_tail(self, last: Segment) -> None:
        size = last.end
        self._note(last, [gap for gap in last.settle() if gap.end < size])
        if last.end < size:
            self.torn_bytes = size - last.end
            last.truncate()

    def _note(self, segment: Segment, gaps: list[Gap]) -> None:
        for gap in gaps:
            self._gaps[Position(segment.number, gap.offset)] = gap.end - gap.offset
