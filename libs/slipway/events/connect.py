"""Which log a URL names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slipway.clock import SystemClock
from slipway.errors import invalid_field
from slipway.events.port import DEFAULT_LIMIT_BYTES, EventLog


@asynccontextmanager
async def open_log(url: str, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> AsyncIterator[EventLog]:
    """Open the event log at ``url``: ``sqlite:////folder/events.db``, an absolute path, or ``kafka://host:port``.

    A file may say, after a question mark, for how long it keeps events: see :class:`slipway.events.sqlite.Address`.
    A Kafka log may name several brokers, divided by commas, and say how it is used, after a question mark: see
    :class:`slipway.events.kafka.Address`. Raises InvalidInput about ``events.url`` for any other, UnusableLog and
    :mod:`slipway.sqlite` errors when it can't be opened. The URL is never repeated: a broker's may hold a password.
    """
    scheme, separator, _ = url.partition("://")
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
    from slipway.events.sqlite import Retention, SqliteEventLog, address  # noqa: PLC0415 - only the adapter asked for

    found = address.parse(url)
    async with SqliteEventLog.open(found.path, limit_bytes=limit_bytes) as log:
        if found.retain is None:
            yield log
            return
        async with Retention(log, found.retain, SystemClock()).running():
            yield log
