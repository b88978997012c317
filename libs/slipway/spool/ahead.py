"""A piece of a frame that is on the disk before the frame is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from slipway.spool.frame import HEADER_BYTES, Payload


class Ahead(NamedTuple):
    """The ``piece`` of a frame that may begin at ``start``, with ``lead_bytes`` of the payload before it.

    No frame is there while its header is not: another one says so.
    """

    start: int
    lead_bytes: int
    piece: bytes

    @property
    def offset(self) -> int:
        """Where the piece lies."""
        return self.start + HEADER_BYTES + self.lead_bytes

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.offset + len(self.piece)

    def is_of(self, payloads: Sequence[Payload]) -> bool:
        """Whether the one payload that is appended at ``start`` has this very piece there, as its second."""
        match payloads:
            case [(lead, piece, *_)] if piece is self.piece:
                return len(lead) == self.lead_bytes
        return False
