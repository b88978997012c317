"""Which file a URL names, and for how long it keeps what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl

from slipway.errors import InvalidInput, invalid_field

_FOREVER = "forever"
_LEAST_DAYS, _MOST_DAYS = 0.001, 36_500
_EXAMPLE = "write sqlite:////folder/events.db"


@dataclass(frozen=True)
class Address:
    """A log's file. Events go ``retain`` after they were published; None: they stay until they are trimmed.

    Seven days are what Kafka's brokers keep if they are told nothing.
    """

    path: Path
    retain: timedelta | None = timedelta(days=7)


def parse(url: str) -> Address:
    """The parts of ``sqlite:////folder/events.db[?retain_days=30]``. Raises InvalidInput about ``events.url``.

    ``retain_days`` is a number of days, or ``forever``.
    """
    _, _, place = url.partition("://")
    file, _, options = place.partition("?")
    # sqlite:///x is relative in SQLAlchemy's spelling, whose absolute paths have a fourth slash.
    path = Path(file.removeprefix("/"))
    if not path.is_absolute():
        raise _wrong(f"needs an absolute path; {_EXAMPLE}")
    given = parse_qsl(options, keep_blank_values=True)
    if not given:
        return Address(path)
    if [name for name, _ in given] != ["retain_days"]:
        raise _wrong("has an option that is unknown or there twice; the only one is retain_days")
    return Address(path, _retain(given[0][1]))


def _retain(text: str) -> timedelta | None:
    if text == _FOREVER:
        return None
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not _LEAST_DAYS <= days <= _MOST_DAYS:
        raise _wrong(f"retain_days must be a number from {_LEAST_DAYS} to {_MOST_DAYS}, or {_FOREVER}")
    return timedelta(days=days)


def _wrong(description: str) -> InvalidInput:
    return invalid_field("events.url", description)
