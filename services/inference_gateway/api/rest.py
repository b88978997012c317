"""The Open Inference Protocol over REST: health, metadata and JSON inference, by the same servicer as gRPC."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from google.protobuf.json_format import MessageToDict
from opentelemetry import propagate, trace

from services.inference_gateway.api.access import Access
from services.inference_gateway.api.open_inference import OpenInferenceServicer
from services.inference_gateway.api.rest_tensors import decode_infer, encode_infer
from slipway.errors import Kind, SlipwayError, invalid_field
from slipway.gen.inference import inference_pb2 as pb
from slipway.lifecycle import PortTaken
from slipway.rpc.room import Room

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
_BINARY_HEADER = "Inference-Header-Content-Length"
_TENANT = web.RequestKey("tenant", str)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TooSlow(SlipwayError):
    """The answer was not ready in the server's maximum."""

    kind = Kind.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"no answer within {limit_s:g} s; ask for less at once, or later")


class RestServer:
    """Serves ``/v2`` on one loopback address; see :class:`slipway.lifecycle.Component`."""

    def __init__(
        self,
        listen: str,
        servicer: OpenInferenceServicer,
        access: Access,
        room: Room,
        *,
        max_body_bytes: int,
        max_deadline_s: float,
        grace_s: float,
    ) -> None:
        self._host, _, port = listen.rpartition(":")
        self._wanted_port = int(port)
        self._servicer = servicer
        self._access = access
        self._room = room
        self._max_body_bytes = max_body_bytes
        self._max_deadline_s = max_deadline_s
        self._runner = web.AppRunner(self._app(max_body_bytes), access_log=None, shutdown_timeout=grace_s)
        self.port = 0

    async def start(self) -> None:
        """Listen. Raises :class:`PortTaken`."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host.strip("[]"), self._wanted_port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise PortTaken("serve REST", f"{self._host}:{self._wanted_port}", "http.listen") from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Finish what was asked, then close."""
        await self._runner.cleanup()

    def _app(self, max_body_bytes: int) -> web.Application:
        app = web.Application(client_max_size=max_body_bytes, middlewares=[_errors])
        add = app.router
        add.add_get("/v2", self._guarded("ServerMetadata", self._server_metadata))
        add.add_get("/v2/health/live", self._guarded("ServerLive", self._live))
        add.add_get("/v2/health/ready", self._guarded("ServerReady", self._ready))
        for prefix in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
            add.add_get(prefix, self._guarded("ModelMetadata", self._model_metadata))
            add.add_get(f"{prefix}/ready", self._guarded("ModelReady", self._model_ready))
            add.add_post(f"{prefix}/infer", self._guarded("ModelInfer", self._infer))
        return app

    def _guarded(self, method: str, handler: Handler) -> Handler:
        """The handler, for those who may call the gRPC method of the same meaning and for whom there is room.

        Both are decided before the body is read. What is for anybody, as health is, takes no room.
        """

        async def guarded(request: web.Request) -> web.StreamResponse:
            tenant = request[_TENANT] = self._access.tenant(method, request.headers)
            if not tenant:
                return await handler(request)
            size = self._max_body_bytes if request.content_length is None else request.content_length
            self._room.enter(tenant, size)
            try:
                return await handler(request)
            finally:
                self._room.leave(tenant, size)

        return guarded

    async def _server_metadata(self, _: web.Request) -> web.Response:
        return web.json_response(_plain(self._servicer.server_metadata()))

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _: web.Request) -> web.Response:
        ready = self._servicer.server_ready()
        return web.json_response({"ready": ready}, status=200 if ready else 503)

    async def _model_metadata(self, request: web.Request) -> web.Response:
        model, version = _named(request)
        return web.json_response(_plain(self._servicer.model_metadata(model, version)))

    async def _model_ready(self, request: web.Request) -> web.Response:
        model, version = _named(request)
        ready = self._servicer.model_ready(model, version)
        return web.json_response({"name": model, "ready": ready}, status=200 if ready else 503)

    async def _infer(self, request: web.Request) -> web.Response:
        model, version = _named(request)
        span = trace.get_current_span(propagate.extract(dict(request.headers))).get_span_context()
        trace_id = format(span.trace_id, "032x") if span.is_valid else ""
        try:
            async with asyncio.timeout(self._max_deadline_s) as timer:
                message = decode_infer(model, version, await _body(request))
                return web.json_response(encode_infer(await self._servicer.infer(message, trace_id, request[_TENANT])))
        except TimeoutError:
            if not timer.expired():
                raise
            raise TooSlow(self._max_deadline_s) from None


def _named(request: web.Request) -> tuple[str, str]:
    return request.match_info["model"], request.match_info.get("version", "")


async def _body(request: web.Request) -> dict[str, Any]:
    if _BINARY_HEADER in request.headers:
        raise invalid_field(_BINARY_HEADER, "is not taken here; send tensors as JSON, or raw over gRPC")
    try:
        body = json.loads(await request.read())
    except (ValueError, RecursionError) as error:
        raise invalid_field("body", f"is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise invalid_field("body", 'is not a JSON object; give {"inputs": [...]}')
    return body


def _plain(message: pb.ServerMetadataResponse | pb.ModelMetadataResponse) -> dict[str, Any]:
    facts: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    for tensor in (*facts.get("inputs", ()), *facts.get("outputs", ())):
        tensor["shape"] = [int(size) for size in tensor["shape"]]  # protobuf's JSON writes int64 as text
    return facts


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except SlipwayError as error:
        told: dict[str, Any] = {"error": error.message, "reason": error.reason}
        if error.violations:
            told["violations"] = [{"field": one.field, "description": one.description} for one in error.violations]
        headers = {}
        if error.retry_after_s:
            told["retry_after_s"] = error.retry_after_s
            headers["Retry-After"] = str(math.ceil(error.retry_after_s))  # HTTP knows whole seconds alone
        if error.kind is Kind.UNAUTHENTICATED:
            headers["WWW-Authenticate"] = "Bearer"
        return web.json_response(told, status=_STATUSES.get(error.kind, 500), headers=headers)
    except web.HTTPException as error:
        return web.json_response({"error": f"{request.method} {request.path}: {error.reason}"}, status=error.status)
    except Exception:
        log.exception("a request failed by a defect", extra={"path": request.path})
        return web.json_response({"error": "the gateway failed; its log has the details"}, status=500)
