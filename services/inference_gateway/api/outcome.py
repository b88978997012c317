"""What became of one request among many: its answers, or why there are none."""

from __future__ import annotations

from collections.abc import Awaitable

from slipway.errors import SlipwayError
from slipway.gen.slipway.inference.v1 import events_pb2, inference_pb2, resources_pb2
from slipway.rpc import status

Told = inference_pb2.StreamPredictResponse | events_pb2.PredictionAnswered
"""The messages that carry an outcome."""


async def tell(told: Told, answer: Awaitable[inference_pb2.PredictResponse]) -> None:
    """Await the answer, and set the outcome: the response, or the error that it raised."""
    try:
        told.response.CopyFrom(await answer)
    except SlipwayError as error:
        told.error.CopyFrom(encode_error(error))


def encode_error(error: SlipwayError) -> resources_pb2.PredictError:
    """The error as a message, with texts cut as a status cuts them."""
    code, message, trailing = status.encode(error)
    cut = status.decode(code, message, trailing)
    encoded = resources_pb2.PredictError(
        code=code.value[0], reason=cut.reason, message=cut.message, facts=cut.facts, retry_after_s=cut.retry_after_s
    )
    for violation in cut.violations:
        encoded.field_violations.add(field=violation.field, description=violation.description)
    return encoded
