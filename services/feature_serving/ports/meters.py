"""What operators watch."""

from __future__ import annotations

from typing import Protocol


class Meters(Protocol):
    """What operators watch."""

    def written(self, applied: int, late: int) -> None:
        """So many rows took effect, and so many did not."""
        ...

    def dead_lettered(self) -> None:
        """An event could not be used."""
        ...
