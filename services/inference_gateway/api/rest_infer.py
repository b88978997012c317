"""Inference over REST: a body, JSON alone or with raw tensors behind it, to the protocol's message and back."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from services.inference_gateway.api.rest_binary import HEADER, binary_outputs, join, split
from services.inference_gateway.api.rest_tensors import decode_infer, encode_infer
from slipway.errors import invalid_field
from slipway.gen.inference import inference_pb2 as pb


async def read_infer(request: web.Request) -> pb.ModelInferRequest:
    """The message of an inference request. Raises InvalidInput naming the entry that is wrong."""
    head, tail = split(await request.read(), request.headers.get(HEADER))
    model, version = request.match_info["model"], request.match_info.get("version", "")
    return decode_infer(model, version, read_json(head), tail)


def write_infer(asked: pb.ModelInferRequest, answer: pb.ModelInferResponse) -> web.Response:
    """The response: JSON, with the outputs behind it that were asked for in raw form."""
    binary = binary_outputs(asked, answer)
    told = encode_infer(answer, binary)
    if not binary:
        return web.json_response(told)
    body, length = join(told, answer, binary)
    return web.Response(body=body, content_type="application/octet-stream", headers={HEADER: str(length)})


def read_json(data: bytes) -> dict[str, Any]:
    """A JSON object. Raises InvalidInput."""
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise invalid_field("body", f"is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise invalid_field("body", 'is not a JSON object; give {"inputs": [...]}')
    return body
