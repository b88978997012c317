"""What must hold of dead letters: every poison message is among them, once, and nothing sound is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from scripts.chaos.findings import Finding, duplicated, lost
from scripts.chaos.history import Mark

POISON = "poison"


def poisoned(marks: Sequence[Mark]) -> set[str]:
    """The ids of the poison messages."""
    return {one for mark in marks if mark.kind == POISON for one in mark.facts["ids"]}


def check(marks: Sequence[Mark], dead: Mapping[str, int]) -> Iterator[Finding]:
    """Every broken promise; ``dead`` is event id to how many dead letters there are of it."""
    poison = poisoned(marks)
    for one in sorted(poison - set(dead)):
        yield lost(f"poison {one} is not among the dead letters")
    for one, times in dead.items():
        if one not in poison:
            yield lost(f"the sound event {one} was set aside")
        elif times > 1:
            yield duplicated(f"poison {one} is {times} times among the dead letters")
