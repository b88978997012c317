"""How the supervisor looks on a terminal."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from slipway.cli import emit
from slipway.config import without_password
from slipway.supervisor import lines
from slipway.supervisor.report import Culprit, Message, Progress
from slipway.supervisor.state import State, UnitStatus

_COLOURS = {"serving": "green", "starting": "yellow", "stopping": "yellow", "backoff": "red", "failed": "red"}


def show_state(state: State, *, as_json: bool) -> None:
    """The state on stdout: one JSON object, or a table under a line about the supervisor."""
    if as_json:
        click.echo(json.dumps(state.to_json(), indent=2))
        return
    supervisor = f"supervisor pid {state.supervisor.pid}" if state.supervisor else "not running"
    click.echo(f"{state.profile} profile, {supervisor}, data in {state.data}")
    if state.note:
        click.echo(state.note)
    if state.supervisor is None and not state.note:
        click.echo("start it with: slipway up --detach")
    if state.supervisor:
        elsewhere = [_elsewhere(name, state) for name in state.elsewhere]
        emit([*(_row(one) for one in (*state.services, *state.backing)), *elsewhere], as_json=False)


def show_progress(message: Message) -> None:
    """A line on stderr for a unit that entered another state; that all start at first is no news."""
    if isinstance(message, Progress) and (message.state != "starting" or message.reason):
        state = click.style(f"{message.state:<9}", fg=_COLOURS.get(message.state))
        reason = f"  {message.reason}" if message.reason else ""
        click.echo(f"{message.elapsed_s:6.1f} s  {message.name:<18} {state}{reason}".rstrip(), err=True)


def show_culprit(culprit: Culprit) -> None:
    """A unit that did not serve, on stderr: why, and how its log ends."""
    click.echo(f"{click.style(culprit.name, bold=True)}: {culprit.reason}; its log: {culprit.log}", err=True)
    for line in culprit.log_tail or ["(it wrote nothing)"]:
        click.echo(f"  | {lines.readable(line)}", err=True)


class LogPrinter:
    """Prints lines of logs, ``named`` with the unit that each is of."""

    def __init__(self, *, named: bool, as_json: bool) -> None:
        self._named = named
        self._as_json = as_json

    def __call__(self, path: Path, line: str) -> None:
        """Print one line of the log at ``path``."""
        if self._as_json:
            click.echo(lines.as_json(path.stem, line))
            return
        for part in lines.readable(line).splitlines() or [""]:
            click.echo(f"{path.stem:<18} | {part}" if self._named else part)


class DrainWatcher:
    """Shows, while ``down`` waits, each unit that has entered another state."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._seen: dict[str, str] = {}

    def __call__(self, state: State) -> None:
        """Print what changed since the last call."""
        for unit in (*state.services, *state.backing):
            before = self._seen.get(unit.name, unit.state)
            self._seen[unit.name] = unit.state
            if before != unit.state and not self._silent:
                click.echo(f"  {unit.name:<18} {unit.state}", err=True)


def _row(unit: UnitStatus) -> dict[str, Any]:
    return {
        "name": unit.name,
        "state": unit.state,
        "for": _age(unit.since),
        "pid": unit.pid,
        "restarts": unit.restarts,
        "ports": " ".join(f"{kind}:{at.rpartition(':')[2]}" for kind, at in unit.endpoints.items()),
        "reason": unit.reason or "",
    }


def _elsewhere(name: str, state: State) -> dict[str, Any]:
    told = f"named by {state.elsewhere[name]}: {without_password(state.servers[f'SLIPWAY_{name.upper()}'])}"
    empty = dict.fromkeys(("for", "restarts", "ports"), "-")
    return {"name": name, "state": "elsewhere", **empty, "pid": None, "reason": told}


def _age(since: str | None) -> str:
    if since is None:
        return "-"
    seconds = max(0, int((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()))
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
