"""What REST says when something is wrong."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from services.inference_gateway.domain.errors import QueueFull
from slipway.errors import Kind, SlipwayError
from slipway.rpc.room import Overloaded

log = logging.getLogger(__name__)

_STATUSES = {
    Kind.INVALID_ARGUMENT: 400,
    Kind.OUT_OF_RANGE: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.PERMISSION_DENIED: 403,
    Kind.NOT_FOUND: 404,
    Kind.ALREADY_EXISTS: 409,
    Kind.ABORTED: 409,
    Kind.FAILED_PRECONDITION: 422,
    Kind.RESOURCE_EXHAUSTED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.DEADLINE_EXCEEDED: 504,
    Kind.UNIMPLEMENTED: 501,
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every failure as a JSON body with ``error`` and, where there is one, its stable ``reason``."""
    try:
        return await handler(request)
    except SlipwayError as error:
        return _told(error)
    except web.HTTPException as error:
        return web.json_response({"error": f"{request.method} {request.path}: {error.reason}"}, status=error.status)
    except web.RequestPayloadError as error:
        return web.json_response({"error": f"the body can't be read: {error}"}, status=400)
    except Exception:
        log.exception("a request failed by a defect", extra={"path": request.path})
        return web.json_response({"error": "the gateway failed; its log has the details"}, status=500)


def _told(error: SlipwayError) -> web.Response:
    body: dict[str, Any] = {"error": error.message, "reason": error.reason}
    if error.violations:
        body["violations"] = [{"field": one.field, "description": one.description} for one in error.violations]
    status = 503 if _is_load(error) else _STATUSES.get(error.kind, 500)
    headers = {}
    if error.retry_after_s:
        body["retry_after_s"] = error.retry_after_s
    if error.retry_after_s or status == 503:
        headers["Retry-After"] = str(math.ceil(error.retry_after_s or 1))  # HTTP knows whole seconds alone
    if error.kind is Kind.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return web.json_response(body, status=status, headers=headers)


def _is_load(error: SlipwayError) -> bool:
    """Whether it is the server's state, which passes, and not that this caller has more than its share."""
    return isinstance(error, QueueFull) or (isinstance(error, Overloaded) and "principal" not in error.facts)
