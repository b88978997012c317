"""What a network is like, and what was seen of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from slipway.errors import invalid_field

Direction = Literal["up", "down"]
"""``up`` is from the client to the server."""
End = Literal["client", "server"]


@dataclass(frozen=True, slots=True)
class Link:
    """One direction. Raises InvalidInput for what is out of range.

    Seconds for ``latency_s``, ``jitter_s`` (up to so much more), ``retransmit_s`` (how long a lost chunk is held up)
    and ``close_delay_s``; shares of chunks from 0 to 1 for ``loss`` and ``cut``; ``bytes_per_s`` None is no bound.
    ``blocked`` is a partition.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    retransmit_s: float = 0.2
    cut: float = 0.0
    bytes_per_s: float | None = None
    close_delay_s: float = 0.0
    blocked: bool = False

    def __post_init__(self) -> None:
        for name in ("latency_s", "jitter_s", "retransmit_s", "close_delay_s"):
            _require(name, getattr(self, name), math.inf)
        for name in ("loss", "cut"):
            _require(name, getattr(self, name), 1.0)
        if self.bytes_per_s is not None and not (_number(self.bytes_per_s) and 1 <= self.bytes_per_s < math.inf):
            raise invalid_field("bytes_per_s", "must be at least 1, or absent for no bound")
        _require_truth("blocked", self.blocked)


@dataclass(frozen=True, slots=True)
class Conditions:
    """Both directions; ``refusing`` resets every new connection."""

    up: Link = field(default_factory=Link)
    down: Link = field(default_factory=Link)
    refusing: bool = False

    def __post_init__(self) -> None:
        _require_truth("refusing", self.refusing)

    @classmethod
    def both(cls, link: Link) -> Conditions:
        """The same in both directions: its latency is felt twice in a round trip."""
        return cls(link, link)

    @classmethod
    def from_json(cls, tree: Mapping[str, Any]) -> Conditions:
        """From what ``asdict`` made, absent keys at their defaults. Raises InvalidInput."""
        known = _known(cls, tree, "conditions")
        up, down = (Link(**_known(Link, known.get(name, {}), name)) for name in ("up", "down"))
        return cls(up, down, known.get("refusing", False))

    def blocking(self, *directions: Direction) -> Conditions:
        """With these directions partitioned, and the others not."""
        return replace(
            self,
            up=replace(self.up, blocked="up" in directions),
            down=replace(self.down, blocked="down" in directions),
        )

    def link(self, direction: Direction) -> Link:
        """One direction's."""
        return self.up if direction == "up" else self.down


@dataclass(slots=True)
class Counters:
    """What happened since the start; ``open`` is now."""

    accepted: int = 0
    open: int = 0
    unreachable: int = 0
    refused: int = 0
    resets: int = 0
    lost_chunks: int = 0
    bytes_up: int = 0
    bytes_down: int = 0


def _require(name: str, value: Any, most: float) -> None:
    if not (_number(value) and 0 <= value <= most and math.isfinite(value)):
        raise invalid_field(name, "must be a share from 0 to 1" if most == 1.0 else "must be seconds, 0 or more")


def _require_truth(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise invalid_field(name, "must be true or false")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _known(form: type, tree: Any, where: str) -> dict[str, Any]:
    names = [one.name for one in fields(form)]
    if not isinstance(tree, Mapping) or not set(tree) <= set(names):
        raise invalid_field(where, f"must be an object of {', '.join(names)}")
    return dict(tree)
