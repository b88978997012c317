"""What the registry announces, read as the group ``monitor`` beside the prediction log."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from services.monitor.codec.registry import decode_endpoint, decode_version
from services.monitor.engine.learning import Fact, Learning
from services.monitor.ports import Meters
from slipway.clock import Clock
from slipway.errors import InvalidInput
from slipway.events import Consumer, Record, consume, set_aside

VERSIONS = "registry.model-version.v1"
ENDPOINTS = "registry.endpoint.v1"
REGISTRY_TOPICS = (VERSIONS, ENDPOINTS)
log = logging.getLogger(__name__)


class RegistryIntake:
    """Takes in versions and endpoints; a consumer of its own, so that neither waits for the other."""

    def __init__(self, consumer: Consumer, learning: Learning, meters: Meters, clock: Clock) -> None:
        self._consumer = consumer
        self._learning = learning
        self._meters = meters
        self._clock = clock

    async def run(self) -> None:
        """Consume until cancelled. Raises Fenced when another monitor took over."""
        await consume(
            self._consumer, self.handle, clock=self._clock, on_dead_letter=lambda _: self._meters.dead_lettered()
        )

    async def handle(self, records: Sequence[Record]) -> None:
        """Take ``records`` in; may be given any of them again."""
        facts: dict[str, Fact] = {}
        unsound: list[tuple[Record, str]] = []
        for record in records:
            event = record.event
            try:
                fact = decode_version(event) if event.topic == VERSIONS else decode_endpoint(event)
            except InvalidInput as error:
                unsound.append((record, error.message))
            else:
                if fact is not None:
                    facts[f"{event.topic}/{event.id}"] = fact
        if facts:
            await self._learning.learn(facts)
        for record, why in unsound:
            await set_aside(self._consumer, record, why)
            log.error("dead-lettered an event: %s", why, extra={"event": record.event.id, "offset": record.offset})
            self._meters.dead_lettered()
