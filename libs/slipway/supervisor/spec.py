"""What a unit is: everything needed to start, probe and stop one supervised process."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway.supervisor.health import Probe


def nothing() -> None:
    """Prepare nothing."""


def no_command() -> tuple[str, ...] | None:
    """Need no command first."""
    return None


async def nobody() -> str | None:
    """Need nobody else."""
    return None


@dataclass(frozen=True, slots=True)
class Owner:
    """The account that a unit runs as when the supervisor is root: for programs that refuse to be root.

    ``folder`` is its own; the unit reaches it as ``HELD``, open from before it became somebody else, for the
    folders above are often root's alone.
    """

    uid: int
    gid: int
    folder: Path


HELD = "/proc/self/fd/9"
"""A unit's way to its :class:`Owner`'s folder; ``tether`` opens it under that number."""


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """One unit: a service, or something that backs the services.

    ``before``: prepares the machine before each start, ``after`` tidies when the unit has stopped for good;
    both run with no process of the unit alive. ``needs`` says what the start still waits for, None when nothing.
    ``first`` gives a command to run to its end before the unit's own, None when there is no need any more.
    ``grace_s``: how long it may drain after ``stop_signal``.
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
    needs: Probe = field(default=nobody)
    first: Callable[[], tuple[str, ...] | None] = field(default=no_command)
    owner: Owner | None = None
    stop_signal: signal.Signals = signal.SIGTERM
