"""What a spool has to make durable, done by a thread that may wait for the disk."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.spool.checkpoint import Checkpoint
from slipway.spool.position import Position
from slipway.spool.segment import Unsynced, Writer


class Syncing:
    """Frames, and how far they were ``acknowledged``; ``error`` is the disk's, if it had one."""

    def __init__(
        self, unsynced: Sequence[tuple[Writer, Unsynced]], checkpoint: Checkpoint, acknowledged: Position
    ) -> None:
        self.unsynced = unsynced
        self.acknowledged = acknowledged
        self.error: OSError | None = None
        self._checkpoint = checkpoint

    def run(self) -> None:
        """Do it, once; never raises what the disk says."""
        for _, one in self.unsynced:
            try:
                one.sync()
            except OSError as error:
                self.error = error
        try:
            self._checkpoint.store(self.acknowledged)
        except OSError as error:
            self.error = error
