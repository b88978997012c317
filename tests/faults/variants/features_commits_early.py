"""A feature service with a bug: it commits a record's offset before it has applied the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.feature_serving.api import consumer as ours
from services.feature_serving.cli import main
from slipway.events import Consumer, Record, consume


class Hasty:
    """A consumer that commits what it gives, and nothing afterwards."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def poll(self, limit: int, timeout_s: float) -> Sequence[Record]:
        records = await self._consumer.poll(limit, timeout_s)
        if records:
            await self._consumer.commit(records)
        return records

    async def commit(self, records: Sequence[Record]) -> None:
        return

    async def dead_letter(self, record: Record, error: str) -> None:
        await self._consumer.dead_letter(record, error)


async def hastily(consumer: Consumer, *arguments: Any, **options: Any) -> None:
    await consume(Hasty(consumer), *arguments, **options)


ours.consume = hastily  # type: ignore[assignment]
main()
