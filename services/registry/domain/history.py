"""Where an alias has pointed, and where it goes back to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AliasMove:
    """An alias moved; 0 stands for nowhere. ``rollback`` when it went back to where it was before."""

    model: str
    alias: str
    from_version: int
    to_version: int
    time: datetime
    reason: str = ""
    rollback: bool = False


def before_current(moves: Sequence[AliasMove]) -> int | None:
    """The version that the alias pointed at before the current one; None when there is none. ``moves``: oldest first.

    Rollbacks count as taken back, with what they took back: two in a row go two versions back, and do not return to
    the version that the first of them left. An alias that was removed starts anew.
    """
    pointed: list[int] = []
    for move in moves:
        if move.to_version == 0:
            pointed.clear()
        elif move.rollback and move.to_version in pointed[:-1]:
            del pointed[-1:]
            while pointed[-1] != move.to_version:
                del pointed[-1:]
        else:
            pointed.append(move.to_version)
    return pointed[-2] if len(pointed) > 1 else None
