"""Events that could not be handled, and how many of them one answer carries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

# Below the 4 MiB that a gRPC client takes by default, with room for a letter's fixed part.
PAGE_BYTES = 3 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event as it was published, where it came from, and why it was set aside.

    ``position`` is its place among the dead letters. ``partition`` and ``offset`` are its place in ``topic``; None,
    and an empty ``topic`` or ``error``, when the letter does not say. ``value`` is None when it was not asked for.
    """

    position: int
    event_id: str
    topic: str
    partition: int | None
    offset: int | None
    key: str
    time: datetime
    error: str
    size_bytes: int
    value: bytes | None

    @property
    def carried_bytes(self) -> int:
        """What it adds to an answer, without its numbers."""
        texts = (self.event_id, self.topic, self.key, self.error)
        return len(self.value or b"") + sum(len(text.encode()) for text in texts)


def fitting(letters: Iterable[DeadLetter], most_bytes: int = PAGE_BYTES) -> int:
    """How many of ``letters`` an answer carries within ``most_bytes``; at least 1, so that a page gets on."""
    held = count = 0
    for letter in letters:
        held += letter.carried_bytes
        if held > most_bytes:
            break
        count += 1
    return max(count, 1)
