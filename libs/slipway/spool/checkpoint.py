"""The file that says how far the reader has acknowledged."""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Lock

import google_crc32c

from slipway.durable import replace_file
from slipway.errors import InvalidInput
from slipway.failpoints import hit
from slipway.spool.position import START, Position

_log = logging.getLogger(__name__)


class Checkpoint:
    """A position on disk, replaced by an atomic rename."""

    def __init__(self, root: Path) -> None:
        self._path = root / "checkpoint"
        self._storing = Lock()
        self._stored = START

    def load(self) -> Position:
        """The position last stored. A missing or damaged file means the start: frames come again."""
        try:
            text = self._path.read_text("ascii", errors="replace")
        except FileNotFoundError:
            return START
        place, _, checksum = text.strip().partition(" ")
        try:
            position = Position.parse(place)
        except InvalidInput:
            position = None
        if position is None or checksum != _checksum(place):
            _log.warning("the spool's checkpoint is damaged; every retained frame will be delivered again")
            return START
        return position

    def store(self, position: Position) -> None:
        """Make ``position`` the one that :meth:`load` gives, even after a power cut, unless a later one was stored.

        Of several threads that do so one waits for the other.
        """
        with self._storing:
            if position <= self._stored:
                return
            hit("spool.checkpoint.before")
            replace_file(self._path, f"{position} {_checksum(str(position))}\n".encode("ascii"))
            self._stored = position
            hit("spool.checkpoint.after")


def _checksum(text: str) -> str:
    return f"{google_crc32c.value(text.encode()):08x}"
