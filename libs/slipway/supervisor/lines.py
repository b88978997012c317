"""A service's log lines as a person reads them."""

from __future__ import annotations

import json
from typing import Any

import click

# Said by the unit's name, or of use only to programs: `slipway logs --json` has them.
_LEFT_OUT = frozenset({"time", "level", "service", "logger", "message", "trace_id", "exception", "stack"})
_COLOURS = {"warning": "yellow", "error": "red", "critical": "red"}


def readable(line: str) -> str:
    """Time (UTC), level, message and facts of a JSON line, a traceback below it; any other line as it is."""
    found = _parsed(line)
    if found is None:
        return line
    level = str(found.get("level", ""))
    moment = f"{str(found.get('time', ''))[:19].replace('T', ' ')}Z"
    facts = "".join(f"  {name}={_text(value)}" for name, value in found.items() if name not in _LEFT_OUT)
    styled = click.style(f"{level:<7}", fg=_COLOURS.get(level))
    below = "".join(f"\n{found[name]}" for name in ("exception", "stack") if name in found)
    return f"{moment} {styled} {found['message']}{click.style(facts, dim=True)}{below}"


def as_json(unit: str, line: str) -> str:
    """The line as one JSON object with ``unit``; a line that is none becomes its ``message``."""
    found = _parsed(line)
    return json.dumps({"unit": unit} | ({"message": line} if found is None else found))


def _parsed(line: str) -> dict[str, Any] | None:
    """The object of a line that a service logged; None for a line of Redis, Ray, or an interpreter that died."""
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "message" in found else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
