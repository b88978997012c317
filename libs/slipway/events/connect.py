"""Which log a URL names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from slipway.errors import invalid_field
from slipway.events.port import DEFAULT_LIMIT_BYTES, EventLog


@asynccontextmanager
async def open_log(url: str, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> AsyncIterator[EventLog]:
    """Open the event log at ``url``: ``sqlite:////folder/events.db``, an absolute path, or ``kafka://host:port``.

    A Kafka log may name several brokers, divided by commas, and say how it is used, after a question mark: see
    :class:`slipway.events.kafka.Address`. Raises InvalidInput about ``events.url`` for any other, UnusableLog and
    :mod:`slipway.sqlite` errors when it can't be opened. The URL is never repeated: a broker's may hold a password.
    """
    scheme, separator, place = url.partition("://")
    if scheme == "kafka" and separator:
        from slipway.events.kafka import KafkaEventLog, parse  # noqa: PLC0415 - only the adapter that is asked for

        async with KafkaEventLog.open(parse(url), limit_bytes=limit_bytes) as kafka:
            yield kafka
        return
    if scheme != "sqlite" or not separator:
        raise invalid_field(
            "events.url",
            "names no event log that is built in; write sqlite:////folder/events.db or kafka://host:port",
        )
    # sqlite:///x is relative in SQLAlchemy's spelling, whose absolute paths have a fourth slash.
    path = Path(place.removeprefix("/"))
    if not path.is_absolute():
        raise invalid_field("events.url", "needs an absolute path; write sqlite:////folder/events.db")
    from slipway.events.sqlite import SqliteEventLog  # noqa: PLC0415 - only the adapter that is asked for

    async with SqliteEventLog.open(path, limit_bytes=limit_bytes) as log:
        yield log
