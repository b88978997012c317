"""What the monitor and the gateways say of rollouts, read as the group ``registry``."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from services.registry.codec import decode_disabled, decode_verdict
from services.registry.engine.judging import Finding, Judging
from slipway.clock import Clock
from slipway.errors import InvalidInput
from slipway.events import Consumer, Record, consume, set_aside

VERDICTS = "monitor.verdict.v1"
ARMS = "inference.arm.v1"
TOPICS = (VERDICTS, ARMS)
log = logging.getLogger(__name__)


class Intake:
    """Acts on every event that is sound and sets the others aside, so that none holds up the rest."""

    def __init__(self, consumer: Consumer, judging: Judging, clock: Clock) -> None:
        self._consumer = consumer
        self._judging = judging
        self._clock = clock

    async def run(self) -> None:
        """Consume until cancelled. Raises Fenced when another registry took over."""
        await consume(self._consumer, self.handle, clock=self._clock)

    async def handle(self, records: Sequence[Record]) -> None:
        """Act on ``records``; may be given any of them again."""
        findings: dict[str, Finding] = {}
        unsound: list[tuple[Record, str]] = []
        for record in records:
            event = record.event
            try:
                # The topic is part of what is remembered: two services may use one id.
                findings[f"{event.topic}/{event.id}"] = (
                    decode_verdict(event) if event.topic == VERDICTS else decode_disabled(event)
                )
            except InvalidInput as error:
                # Trying again can't mend its bytes, so the loop's patient way of dead-lettering is not for it.
                unsound.append((record, error.message))
        await self._judging.take(findings)
        for record, why in unsound:
            await set_aside(self._consumer, record, why)
            log.error("dead-lettered an event: %s", why, extra={"event": record.event.id, "offset": record.offset})
