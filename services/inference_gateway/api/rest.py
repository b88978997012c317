"""The Open Inference Protocol over REST, with Triton's extensions, by the same servicer as gRPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from aiohttp import web
from opentelemetry import propagate, trace

from services.inference_gateway.api.access import Access
from services.inference_gateway.api.open_inference import OpenInferenceServicer
from services.inference_gateway.api.rest_errors import Handler, errors
from services.inference_gateway.api.rest_infer import read_infer, read_json, write_infer
from services.inference_gateway.api.rest_json import plain, read_repository_parameters
from services.inference_gateway.api.rest_spans import spanned
from services.inference_gateway.api.unserved import NotServed, log_settings, shared_memory, trace_settings
from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.inference import model_config_pb2, repository_pb2, statistics_pb2
from slipway.lifecycle import PortTaken
from slipway.observe.spans import trace_id_of
from slipway.rpc import deadline
from slipway.rpc.room import Room

_TENANT = web.RequestKey("tenant", str)
T = TypeVar("T", pb.ModelMetadataRequest, model_config_pb2.ModelConfigRequest, statistics_pb2.ModelStatisticsRequest)
_UNSERVED: dict[str, tuple[str, Callable[[], NotServed]]] = {
    "/v2/logging": ("LogSettings", log_settings),
    "/v2/trace/setting": ("TraceSetting", trace_settings),
    "/v2/models/{model}/trace/setting": ("TraceSetting", trace_settings),
} | {
    f"/v2/{kind.lower()}sharedmemory{region}/{verb.lower()}": (f"{kind}SharedMemory{verb}", shared_memory)
    for kind in ("System", "Cuda")
    for region in ("", "/region/{region}")
    for verb in ("Status", "Register", "Unregister")
}


class RestCaller:
    """Who sent a request; see :class:`services.inference_gateway.api.caller.Caller`."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self.principal: str = request[_TENANT]

    @property
    def trace_id(self) -> str:
        """The caller's trace."""
        span = trace.get_current_span(propagate.extract(dict(self._request.headers)))
        return trace_id_of(span.get_span_context())


class RestServer:
    """Serves ``/v2`` on one loopback address; see :class:`slipway.lifecycle.Component`.

    Bodies may be gzip or deflate; ``max_body_bytes`` is what one may have when it is unpacked.
    """

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
        self._runner = web.AppRunner(
            self._app(max_body_bytes),
            access_log=None,
            shutdown_timeout=grace_s,
            handler_cancellation=True,  # nobody's answer is not worked on
        )
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
        app = web.Application(client_max_size=max_body_bytes, middlewares=[spanned(), errors, self._in_time])
        add = app.router.add_route
        for verb, path, method, handler in self._routes():
            add(verb, path, self._guarded(method, handler))
        for path, (method, why) in _UNSERVED.items():
            add("*", path, self._guarded(method, _refusal(why)))
        return app

    def _routes(self) -> Iterator[tuple[str, str, str, Handler]]:
        """HTTP's method, the path, the gRPC method of the same meaning, and what answers."""
        yield "GET", "/v2", "ServerMetadata", self._server_metadata
        yield "GET", "/v2/health/live", "ServerLive", self._live
        yield "GET", "/v2/health/ready", "ServerReady", self._ready
        yield "GET", "/v2/models/stats", "ModelStatistics", self._model_statistics
        for prefix in ("/v2/models/{model}", "/v2/models/{model}/versions/{version}"):
            yield "GET", prefix, "ModelMetadata", self._model_metadata
            yield "GET", f"{prefix}/ready", "ModelReady", self._model_ready
            yield "GET", f"{prefix}/config", "ModelConfig", self._model_config
            yield "GET", f"{prefix}/stats", "ModelStatistics", self._model_statistics
            yield "POST", f"{prefix}/infer", "ModelInfer", self._infer
        yield "POST", "/v2/repository/index", "RepositoryIndex", self._index
        yield "POST", "/v2/repository/models/{model}/load", "RepositoryModelLoad", self._load
        yield "POST", "/v2/repository/models/{model}/unload", "RepositoryModelUnload", self._unload

    def _guarded(self, method: str, handler: Handler) -> Handler:
        """The handler, for those who may call the gRPC method of the same meaning and for whom there is room.

        Both are decided before the body is read. What is for anybody, as health is, takes no room.
        """

        async def guarded(request: web.Request) -> web.StreamResponse:
            tenant = request[_TENANT] = self._access.tenant(method, request.headers)
            if not tenant:
                return await handler(request)
            size = request.content_length
            if size is None or "Content-Encoding" in request.headers:
                size = self._max_body_bytes  # what it may come to
            self._room.enter(tenant, size)
            try:
                return await handler(request)
            finally:
                self._room.leave(tenant, size)

        return guarded

    async def _server_metadata(self, request: web.Request) -> web.Response:
        return _json(await self._servicer.ServerMetadata(pb.ServerMetadataRequest(), RestCaller(request)))

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, request: web.Request) -> web.Response:
        answer = await self._servicer.ServerReady(pb.ServerReadyRequest(), RestCaller(request))
        return web.json_response({"ready": answer.ready}, status=200 if answer.ready else 503)

    async def _model_metadata(self, request: web.Request) -> web.Response:
        return _json(await self._servicer.ModelMetadata(_named(request, pb.ModelMetadataRequest), RestCaller(request)))

    async def _model_ready(self, request: web.Request) -> web.Response:
        model = request.match_info["model"]
        ready = self._servicer.model_ready(model, request.match_info.get("version", ""))
        return web.json_response({"name": model, "ready": ready}, status=200 if ready else 503)

    async def _model_config(self, request: web.Request) -> web.Response:
        asked = _named(request, model_config_pb2.ModelConfigRequest)
        return web.json_response(plain((await self._servicer.ModelConfig(asked, RestCaller(request))).config))

    async def _model_statistics(self, request: web.Request) -> web.Response:
        asked = _named(request, statistics_pb2.ModelStatisticsRequest)
        return _json(await self._servicer.ModelStatistics(asked, RestCaller(request)))

    async def _infer(self, request: web.Request) -> web.Response:
        asked = await read_infer(request)
        return write_infer(asked, await self._servicer.infer(asked, RestCaller(request)))

    async def _index(self, request: web.Request) -> web.Response:
        asked = repository_pb2.RepositoryIndexRequest(ready=(await _optional_json(request)).get("ready") is True)
        answer = await self._servicer.RepositoryIndex(asked, RestCaller(request))
        return web.json_response([plain(one) for one in answer.models])

    async def _load(self, request: web.Request) -> web.Response:
        asked = repository_pb2.RepositoryModelLoadRequest(
            model_name=request.match_info["model"], parameters=await _repository_parameters(request)
        )
        return _json(await self._servicer.RepositoryModelLoad(asked, RestCaller(request)))

    async def _unload(self, request: web.Request) -> web.Response:
        asked = repository_pb2.RepositoryModelUnloadRequest(
            model_name=request.match_info["model"], parameters=await _repository_parameters(request)
        )
        return _json(await self._servicer.RepositoryModelUnload(asked, RestCaller(request)))

    @web.middleware
    async def _in_time(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        async with deadline.Bound(self._max_deadline_s):
            return await handler(request)


def _named(request: web.Request, kind: type[T]) -> T:
    return kind(name=request.match_info.get("model", ""), version=request.match_info.get("version", ""))


async def _optional_json(request: web.Request) -> dict[str, Any]:
    body = await request.read()
    return read_json(body) if body.strip() else {}


async def _repository_parameters(request: web.Request) -> dict[str, repository_pb2.ModelRepositoryParameter]:
    return read_repository_parameters((await _optional_json(request)).get("parameters"), "parameters")


def _json(message: Any) -> web.Response:
    return web.json_response(plain(message))


def _refusal(why: Callable[[], NotServed]) -> Handler:
    async def refuse(_: web.Request) -> web.StreamResponse:
        raise why()

    return refuse
