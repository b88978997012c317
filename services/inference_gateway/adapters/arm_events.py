"""Telling on the event bus that an arm was taken to zero."""

from __future__ import annotations

from services.inference_gateway import codec
from services.inference_gateway.domain.guardrail import Disabled
from slipway.events import Event, Publisher

TOPIC = "inference.arm.v1"
TYPE = "slipway.inference.arm.disabled"


class ArmEvents:
    """See :class:`services.inference_gateway.ports.Announcer`. Told again, it is the same event."""

    def __init__(self, publisher: Publisher, gateway_id: str) -> None:
        self._publisher = publisher
        self._gateway_id = gateway_id

    async def announce(self, disabled: Disabled) -> None:
        """See Announcer."""
        one = disabled
        identity = f"{self._gateway_id}/{one.endpoint}/{one.revision}/{one.route}"
        value = codec.encode_disabled(one, self._gateway_id).SerializeToString()
        await self._publisher.publish([Event(identity, TOPIC, one.endpoint, TYPE, self._gateway_id, one.time, value)])
