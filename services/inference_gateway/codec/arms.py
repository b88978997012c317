"""What is told of an arm that was taken to zero."""

from __future__ import annotations

from services.inference_gateway.domain.guardrail import Disabled
from slipway.gen.slipway.inference.v1 import events_pb2


def encode_disabled(disabled: Disabled, gateway_id: str) -> events_pb2.ArmDisabled:
    """The event of an arm that was taken to zero."""
    message = events_pb2.ArmDisabled(
        endpoint=disabled.endpoint,
        route=disabled.route,
        model=disabled.version.model,
        version=disabled.version.number,
        revision=disabled.revision,
        reason=disabled.reason,
        gateway_id=gateway_id,
    )
    message.time.FromDatetime(disabled.time)
    return message
