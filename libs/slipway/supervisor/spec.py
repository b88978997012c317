"""What a unit is: everything needed to start, probe and stop one supervised process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.supervisor.health import Probe


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """One unit: a service, Redis or Ray.

    ``before``: prepares the machine before each start, ``after`` tidies when the unit has stopped for good;
    both run with no process of the unit alive. ``grace_s``: how long it may drain.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    endpoints: Mapping[str, str]
    probe: Probe
    log: Path
    grace_s: float = 30.0
    before: Callable[[], None] = field(default=nothing)
    after: Callable[[], None] = field(default=nothing)
