"""What is armed, as text: ``name=action@N*M`` apart by semicolons or lines."""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from slipway.errors import InvalidInput, invalid_field
from slipway.failpoints.names import NAMES

_ENTRY = re.compile(
    r"(?P<name>[^=\s]+)\s*=\s*(?P<action>[a-z-]+)\s*(?:\((?P<argument>[^()]*)\))?"
    r"\s*(?:@\s*(?P<nth>[0-9]{1,9}))?\s*(?:\*\s*(?P<times>[0-9]{1,9}))?",
    re.ASCII,
)
_DELAY = re.compile(r"(?P<number>[0-9]{1,9}(?:\.[0-9]{1,6})?)(?P<unit>ms|s)", re.ASCII)
_UNITS_S = {"ms": 0.001, "s": 1.0}
_LONGEST_S = 3600.0


class Action(enum.Enum):
    """What happens where a failpoint is reached."""

    KILL = "kill"
    STOP = "stop"
    ERROR = "error"
    DISK_FULL = "disk-full"
    DELAY = "delay"


_ENDING = frozenset({Action.KILL, Action.STOP})


@dataclass(frozen=True, slots=True)
class Entry:
    """One armed failpoint: from the ``nth`` time that it is reached on, ``times`` times (None: each time).

    ``delay_s`` belongs to a delay, ``internal`` to an error that no retry mends.
    """

    name: str
    action: Action
    nth: int = 1
    times: int | None = None
    delay_s: float = 0.0
    internal: bool = False

    def fired(self) -> Entry | None:
        """What is left after it has acted once: due again at once, or None."""
        if self.times is None:
            return replace(self, nth=1)
        return replace(self, nth=1, times=self.times - 1) if self.times > 1 else None

    def __str__(self) -> str:
        text = f"{self.name}={self.action.value}"
        if self.action is Action.DELAY:
            text += f"({_milliseconds(self.delay_s)}ms)"
        if self.internal:
            text += "(internal)"
        if self.nth > 1:
            text += f"@{self.nth}"
        if self.times is not None and not (self.times == 1 and self.action in _ENDING):
            text += f"*{self.times}"
        return text


def parse(text: str, field: str) -> tuple[Entry, ...]:
    """The entries of a spec; ``field`` says in an InvalidInput where the text stood."""
    entries: dict[str, Entry] = {}
    for line in text.splitlines():
        for part in line.partition("#")[0].split(";"):
            if part.strip():
                entry = _entry(part.strip(), field)
                if entry.name in entries:
                    raise invalid_field(field, f"arms {entry.name} twice; keep one of the two")
                entries[entry.name] = entry
    return tuple(entries.values())


def render(entries: Iterable[Entry]) -> str:
    """The spec that :func:`parse` gives these entries of, one a line."""
    return "".join(f"{entry}\n" for entry in entries)


def _entry(part: str, field: str) -> Entry:
    found = _ENTRY.fullmatch(part)
    if found is None:
        raise invalid_field(field, f"can't read {part[:200]!r}; write name=action@N*M, such as sql.commit.after=kill@3")
    name = found["name"]
    if name not in NAMES:
        raise _unknown(name, field)
    action = _action(found["action"], name, field)
    nth = int(found["nth"] or 1)
    times = int(found["times"]) if found["times"] else (1 if action in _ENDING else None)
    if nth < 1 or times == 0:
        raise invalid_field(field, f"{name}: @N and *M count from 1; leave out what you do not bound")
    return _argued(Entry(name, action, nth, times), found["argument"], field)


def _action(text: str, name: str, field: str) -> Action:
    try:
        return Action(text)
    except ValueError:
        known = ", ".join(action.value for action in Action)
        raise invalid_field(field, f"{name}: {text!r} is no action; use one of {known}") from None


def _argued(entry: Entry, argument: str | None, field: str) -> Entry:
    if entry.action is Action.DELAY:
        return replace(entry, delay_s=_delay_s(entry.name, argument or "", field))
    if argument is None:
        return entry
    if entry.action is Action.ERROR and argument.strip() == "internal":
        return replace(entry, internal=True)
    told = "error takes (internal) or nothing" if entry.action is Action.ERROR else f"{entry.action.value} takes none"
    raise invalid_field(field, f"{entry.name}: ({argument[:40]}) is no argument here; {told}")


def _delay_s(name: str, argument: str, field: str) -> float:
    found = _DELAY.fullmatch(argument.strip())
    seconds = float(found["number"]) * _UNITS_S[found["unit"]] if found else -1.0
    # Kept in whole microseconds, so that what is written is what was read.
    seconds = round(seconds, 6)
    if not 0 <= seconds <= _LONGEST_S:
        raise invalid_field(field, f"{name}: a delay is a time up to an hour, such as delay(250ms) or delay(2s)")
    return seconds


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.3f}".rstrip("0").rstrip(".")


def _unknown(name: str, field: str) -> InvalidInput:
    near = difflib.get_close_matches(name, NAMES, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return invalid_field(field, f"{name[:200]!r} is no failpoint{hint}; the failpoints are {', '.join(NAMES)}")
