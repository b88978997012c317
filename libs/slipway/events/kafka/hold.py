"""What a member knows of a partition that it holds."""

from __future__ import annotations

from dataclasses import dataclass, field

Place = tuple[str, int]
"""A topic and a partition."""


@dataclass(slots=True)
class Hold:
    """A partition of this member: all before ``done`` is kept, None before its first record came.

    ``letters`` are the offsets after it that were set aside.
    """

    done: int | None = None
    letters: set[int] = field(default_factory=set)
