"""CloudEvents in Kafka's binary mode: attributes as ``ce_`` headers, the value untouched. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from slipway.errors import invalid_field
from slipway.events.port import Event

Headers = list[tuple[str, bytes]]
_PREFIX = "ce_"
_ATTRIBUTES = ("id", "type", "source", "time")
_SPEC_VERSION = "1.0"
_CONTENT_TYPE = "application/protobuf"


def to_headers(event: Event) -> Headers:
    """The event's attributes and headers as a broker carries them; topic, key and value travel beside."""
    attributes = {"specversion": _SPEC_VERSION, "id": event.id, "type": event.type, "source": event.source}
    attributes["time"] = event.time.isoformat()
    carried = {f"{_PREFIX}{name}": text for name, text in attributes.items()}
    return [(name, text.encode()) for name, text in {"content-type": _CONTENT_TYPE, **event.headers, **carried}.items()]


def from_headers(
    topic: str, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]]
) -> Event:
    """The event that a broker's record carries, the inverse of :func:`to_headers`.

    Headers outside of CloudEvents are kept as they came, ``content-type`` among them when it is not ours.
    Raises InvalidInput naming the header that is missing or can't be read.
    """
    texts = {name: _text(name, raw) for name, raw in headers if raw is not None}
    attributes = {name: texts.pop(f"{_PREFIX}{name}", "") for name in _ATTRIBUTES}
    for name, text in attributes.items():
        if not text:
            raise invalid_field(f"{_PREFIX}{name}", "is missing; publish with CloudEvents headers")
    texts.pop(f"{_PREFIX}specversion", None)
    if texts.get("content-type") == _CONTENT_TYPE:
        del texts["content-type"]
    return Event(
        id=attributes["id"],
        topic=topic,
        key=_text("key", key or b""),
        type=attributes["type"],
        source=attributes["source"],
        time=_time(attributes["time"]),
        value=value or b"",
        headers=texts,
    )


def _text(name: str, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise invalid_field(name, "is not UTF-8 text") from None


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise invalid_field("ce_time", "is not an RFC 3339 time, such as 2013-01-01T05:15:00Z") from None
    if time.utcoffset() is None:
        raise invalid_field("ce_time", "has no offset; add Z")
    return time
