"""One request of a ModelStreamInfer to its answer, or to why there is none."""

from __future__ import annotations

import logging

from services.inference_gateway.api.caller import Caller
from services.inference_gateway.api.infer import Infer
from services.inference_gateway.api.infer_settings import wants_final_mark
from slipway.errors import SlipwayError
from slipway.gen.inference import inference_pb2 as pb
from slipway.rpc import deadline

log = logging.getLogger(__name__)


async def answer_streamed(
    infer: Infer, caller: Caller, limit_s: float, request: pb.ModelInferRequest
) -> pb.ModelStreamInferResponse:
    """The answer, or the error as a message: it ends no stream. ``limit_s`` is what the request gets at most."""
    try:
        async with deadline.Bound(limit_s):
            answer = pb.ModelStreamInferResponse(infer_response=await infer.answer(request, caller))
    except SlipwayError as error:
        answer = _refusal(request, error.message, error.reason)
    except Exception:
        # One request's defect must not end the stream of the others.
        log.exception("a request on a stream failed by a defect", extra={"endpoint": request.model_name})
        answer = _refusal(request, "the gateway failed; its log has the details", "INTERNAL")
    if wants_final_mark(request.parameters):
        answer.infer_response.parameters["triton_final_response"].bool_param = True
    return answer


def _refusal(request: pb.ModelInferRequest, why: str, reason: str) -> pb.ModelStreamInferResponse:
    told = pb.ModelStreamInferResponse(error_message=why)
    told.infer_response.model_name, told.infer_response.id = request.model_name, request.id
    told.infer_response.parameters["slipway_reason"].string_param = reason
    return told
