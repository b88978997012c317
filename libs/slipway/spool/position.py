"""Where a frame lies."""

from __future__ import annotations

from typing import NamedTuple

from slipway.errors import invalid_field


class Position(NamedTuple):
    """A frame's place: its segment's number (from 1) and its first byte there. Later frames are greater.

    A spool never gives one position to two frames that were returned for, whatever crashes lie between.
    ``str`` gives 17 characters that sort as the positions do; with ``Spool.identity`` before it, it names
    the frame among all spools.
    """

    segment: int
    offset: int

    def __str__(self) -> str:
        return f"{self.segment:08x}-{self.offset:08x}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position that ``str`` rendered so. Fails with InvalidInput."""
        segment, dash, offset = text.partition("-")
        try:
            position = cls(int(segment, 16), int(offset, 16))
        except ValueError:
            position = cls(-1, -1)
        if not dash or str(position) != text:
            raise invalid_field("position", f"{text[:40]!r} is not 8 hex digits, a dash and 8 hex digits")
        return position


#: Before every frame.
START = Position(0, 0)
