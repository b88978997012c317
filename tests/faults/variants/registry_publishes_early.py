"""A registry with a bug: its outbox publishes at once, before the transaction of the change has committed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AsyncExitStack

from services.registry.adapters import sql
from services.registry.cli import main
from slipway.events import Event, EventLog
from slipway.events.connect import open_log

_opened = AsyncExitStack()
_logs: list[EventLog] = []


class Early:
    """In the place of the outbox."""

    @staticmethod
    async def add(connection: object, events: Sequence[Event]) -> None:
        if not _logs:
            _logs.append(await _opened.enter_async_context(open_log(os.environ["SLIPWAY_EVENTS"])))
        await _logs[0].publisher().publish(events)


sql.Outbox = Early  # type: ignore[misc,assignment]
main()
