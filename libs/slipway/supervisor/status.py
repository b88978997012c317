"""The state of a data root as a stranger sees it: running, starting, dead without a word, or down."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from slipway.errors import Kind, SlipwayError
from slipway.supervisor import lock, proc
from slipway.supervisor.fleet import FLEET, PROFILES
from slipway.supervisor.state import State, UnitStatus, clear_state, read_state

_POLL_S = 0.05


class DownFailed(SlipwayError):
    """Something of the fleet could not be ended."""

    kind = Kind.ABORTED
    reason = "DOWN_FAILED"


def current(data: Path) -> State:
    """What runs on ``data`` now; ``supervisor`` is None when none does, ``note`` tells of one that was killed."""
    holder = lock.holder(data)
    state = read_state(data)
    if holder is not None:
        running = state is not None and state.supervisor is not None and state.supervisor.pid == holder.pid
        return state if state and running else _idle(data, f"a supervisor (pid {holder.pid}) is starting")
    if state is None or state.supervisor is None:
        return _idle(data, None)
    return _idle(data, f"the supervisor (pid {state.supervisor.pid}) died without stopping; 'up' starts again")


def wait_ready(data: Path, timeout_s: float) -> State:
    """The state once the supervisor that runs has everything serving, is gone, or time is over."""
    end = time.monotonic() + timeout_s
    while True:
        state = current(data)
        if state.all_serving() or lock.holder(data) is None or time.monotonic() >= end:
            return state
        time.sleep(_POLL_S)


def stop(data: Path, timeout_s: float, watch: Callable[[State], None]) -> State | None:
    """Have the supervisor drain and end; the state it had, or None when none ran.

    After ``timeout_s`` it is killed, and its children with it. Raises :class:`DownFailed` if anything lives on.
    """
    last = read_state(data)
    holder = lock.holder(data)
    if holder is not None:
        _signal(holder, signal.SIGTERM)
        if not _wait_gone(data, holder, timeout_s, watch):
            _signal(holder, signal.SIGKILL)
            _wait_gone(data, holder, 10.0, watch)
    if not _swept(data, 10.0):
        raise DownFailed(f"processes {proc.marked(data)} can't be ended")
    if lock.holder(data) is None:
        clear_state(data)
    return last if holder else None


def _wait_gone(data: Path, holder: lock.Holder, timeout_s: float, watch: Callable[[State], None]) -> bool:
    end = time.monotonic() + timeout_s
    while proc.alive(holder.pid, holder.ticks):
        if state := read_state(data):
            watch(state)
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL_S)
    return True


def _swept(data: Path, timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while lock.holder(data) is None and proc.kill_marked(data):
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL_S)
    return True


def _signal(holder: lock.Holder, number: signal.Signals) -> None:
    if proc.alive(holder.pid, holder.ticks):
        os.kill(holder.pid, number)


def _idle(data: Path, note: str | None) -> State:
    services = tuple(_stopped(one.name, one.ports) for one in FLEET.services)
    backing = tuple(_stopped(name, {}) for name in PROFILES["embedded"])
    return replace(State(str(data), None, services, backing), note=note)


def _stopped(name: str, ports: dict[str, int]) -> UnitStatus:
    endpoints = {kind: f"127.0.0.1:{port}" for kind, port in ports.items()}
    return UnitStatus(name, "stopped", None, 0, endpoints, None, None)
