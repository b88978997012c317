"""Rows that an operator writes: JSON lines, and entities on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from slipway.client import FeatureView, ValueType
from slipway.errors import invalid_field

_PART = 1_000
_TIME = "event_time"


@dataclass
class Part:
    """Rows that are pushed together."""

    entities: list[Mapping[str, Any]] = field(default_factory=list)
    features: list[Mapping[str, Any]] = field(default_factory=list)
    event_times: list[datetime] = field(default_factory=list)


def read(lines: Iterable[str], view: FeatureView) -> Iterator[Part]:
    """The rows of a view, a JSON object a line, in parts. Raises InvalidInput naming line and key."""
    # Rows of a windowed view are events, which hold what is aggregated.
    columns = {one.column: ValueType.DOUBLE for one in view.aggregations}
    features = columns or {one.name: one.type for one in view.features}
    part = Part()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        row = _object(f"line {number}", line)
        part.event_times.append(moment(f"line {number}: {_TIME}", row.pop(_TIME, None)))
        part.entities.append({name: row.pop(name, None) for name in view.entities})
        if unknown := [name for name in row if name not in features]:
            known = ", ".join((*view.entities, *features, _TIME))
            raise invalid_field(f"line {number}: {unknown[0]}", f"is not of view {view.name}; give {known}")
        # Every feature has its column: what a row leaves out is a null there.
        part.features.append(
            {name: _value(f"line {number}: {name}", kind, row.get(name)) for name, kind in features.items()}
        )
        if len(part.event_times) == _PART:
            yield part
            part = Part()
    if part.event_times:
        yield part


def _object(where: str, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise invalid_field(where, 'is no JSON object; write {"tailnum": "N14228", "event_time": "…"}')
    return row


def _value(where: str, kind: ValueType, value: Any) -> Any:
    return moment(where, value) if kind is ValueType.TIMESTAMP and value is not None else value


def moment(where: str, text: object) -> datetime:
    """A moment as RFC 3339 has it, in UTC where it names no offset. Raises InvalidInput about ``where``."""
    try:
        found = text if isinstance(text, datetime) else datetime.fromisoformat(str(text))
    except ValueError:
        raise invalid_field(where, "is missing or no moment; write 2013-01-01T05:15:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def key(text: str) -> tuple[str, str | int]:
    """``entity=text`` or ``entity:=number``. Raises InvalidInput about ``--key``."""
    name, separator, value = text.partition("=")
    if not separator or not name.strip(":"):
        raise invalid_field("--key", f"{text!r} is no entity; write tailnum=N14228, or number:=12 for a number")
    if not name.endswith(":"):
        return name, value
    try:
        return name[:-1], int(value)
    except ValueError:
        raise invalid_field("--key", f"{value!r} is no whole number; write {name[:-1]}={value} for a text") from None
