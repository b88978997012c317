"""How much is answered together at most."""

from __future__ import annotations

_MOST_ROWS, _MOST_BYTES = 512, 1024 * 1024  # work that is worth sharing, and no more than others can wait for


def most_together(rows: int, size_bytes: int, batch_rows: int) -> int:
    """How many requests of so many rows and bytes: at least 1, and no more than a batch of ``batch_rows`` may have."""
    return max(1, min(_MOST_ROWS // rows, batch_rows // rows, _MOST_BYTES // max(1, size_bytes)))
