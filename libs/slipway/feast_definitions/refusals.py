"""What the catalogue can't say, collected: a person who moves a repository wants to hear all of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """A definition by its name, and what to do about it."""

    field: str
    description: str


class Refused(Exception):
    """The repository can't be compiled."""

    def __init__(self, refusals: list[Refusal]) -> None:
        super().__init__("; ".join(f"{one.field}: {one.description}" for one in refusals))
        self.refusals = refusals


@dataclass(slots=True)
class Refusals:
    """What was refused so far."""

    found: list[Refusal] = field(default_factory=list)

    def add(self, where: str, description: str) -> None:
        """Refuse ``where``, which reads like ``views.carrier_delays.ttl``."""
        self.found.append(Refusal(where, description))

    def check(self) -> None:
        """Raise Refused if anything was."""
        if self.found:
            raise Refused(self.found)
