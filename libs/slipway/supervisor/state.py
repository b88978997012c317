"""The state file, ``$SLIPWAY_DATA/run/state.json``: what the running supervisor knows of its units.

Written whole, by atomic rename, on every change; there while a supervisor runs, removed when it is down.
Importing this costs next to nothing beyond the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from slipway.failpoints import hit

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """One supervised unit (a service, Redis or Ray) as it is now.

    ``state``: starting, serving, backoff, failed, stopping or stopped; ``since``: when it entered that state
    (ISO 8601, UTC); ``reason``: why it is not serving, or None; ``exit_code``: of its last death, negative
    for a signal; ``endpoints``: kind to ``host:port``.
    """

    name: str
    state: str
    pid: int | None
    restarts: int
    endpoints: Mapping[str, str]
    reason: str | None
    since: str | None
    exit_code: int | None = None
    log: str | None = None


@dataclass(frozen=True, slots=True)
class SupervisorStatus:
    """The supervisor's process; ``ready`` is set once every unit has served at the same time."""

    pid: int
    started_ticks: int
    since: str
    ready: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """Everything ``slipway status --json`` prints; ``supervisor`` is None when none runs.

    Of the stack profile: ``servers`` is what to export, variable to value; ``elsewhere`` names the servers among
    them that somebody else runs, each with who named it. ``events``: the URL of the services' event log.
    """

    data: str
    supervisor: SupervisorStatus | None
    services: tuple[UnitStatus, ...]
    backing: tuple[UnitStatus, ...]
    note: str | None = None
    profile: str = "embedded"
    servers: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    events: str = ""
    schema: int = field(default=SCHEMA)

    def all_serving(self) -> bool:
        """Whether every service, Redis and Ray (those that run here) serve."""
        units = (*self.services, *self.backing)
        return self.supervisor is not None and all(one.state == "serving" for one in units)

    def to_json(self) -> dict[str, Any]:
        """Plain values, keys as the fields are named."""
        return asdict(self)


def state_path(data: Path) -> Path:
    """Where the state of the supervisor on this data root is."""
    return data / "run" / "state.json"


def write_state(data: Path, state: State) -> None:
    """Replace the state file; a reader sees the old or the new one, never a part."""
    path = state_path(data)
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)  # it may hold a password
    draft.write_text(json.dumps(state.to_json(), indent=1), encoding="utf-8")
    hit("supervisor.state.before")
    draft.replace(path)
    hit("supervisor.state.after")


def read_state(data: Path) -> State | None:
    """The state as last written; None when there is none, or it is torn or another version's."""
    try:
        tree = json.loads(state_path(data).read_text(encoding="utf-8"))
        if tree["schema"] != SCHEMA:
            return None
        return _decode(tree)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def clear_state(data: Path) -> None:
    """Remove the state file, if it is there."""
    state_path(data).unlink(missing_ok=True)


def _decode(tree: dict[str, Any]) -> State:
    supervisor = tree["supervisor"]
    return State(
        data=tree["data"],
        supervisor=SupervisorStatus(**supervisor) if supervisor else None,
        services=tuple(UnitStatus(**one) for one in tree["services"]),
        backing=tuple(UnitStatus(**one) for one in tree["backing"]),
        note=tree["note"],
        profile=tree["profile"],
        servers=tree.get("servers", {}),
        elsewhere=tree.get("elsewhere", {}),
        events=tree.get("events", ""),
    )
