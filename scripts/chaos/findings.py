"""What a check finds."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Broken(enum.StrEnum):
    """Which promise: an acknowledged write is gone, an effect is there twice, or a state is one that can't be."""

    LOST = "lost"
    DUPLICATED = "duplicated"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise, in words that name what it is about."""

    broken: Broken
    what: str


def lost(what: str) -> Finding:
    """An acknowledged write is gone."""
    return Finding(Broken.LOST, what)


def duplicated(what: str) -> Finding:
    """An effect is there twice."""
    return Finding(Broken.DUPLICATED, what)


def wrong(what: str) -> Finding:
    """A state that no order of the calls can give."""
    return Finding(Broken.WRONG, what)
