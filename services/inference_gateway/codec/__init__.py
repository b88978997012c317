"""Between Slipway's own messages and the gateway's values."""

from services.inference_gateway.codec.arms import encode_disabled
from services.inference_gateway.codec.log import decode_remembered, encode_batch, encode_draft, together
from services.inference_gateway.codec.replies import encode_predictions, prediction_bytes
from services.inference_gateway.codec.requests import decode_batch, decode_keys

__all__ = [
    "decode_batch",
    "decode_keys",
    "decode_remembered",
    "encode_batch",
    "encode_disabled",
    "encode_draft",
    "encode_predictions",
    "prediction_bytes",
    "together",
]
