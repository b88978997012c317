"""A span for every call over REST, by OpenTelemetry's HTTP conventions."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from slipway.observe.spans import are_recorded


def spanned() -> Any:
    """A middleware that continues the caller's trace, where spans are recorded at all."""
    tracer = trace.get_tracer("slipway.inference_gateway")
    on = are_recorded()

    @web.middleware
    async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not on:
            return await handler(request)
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else ""
        with tracer.start_as_current_span(
            f"{request.method} {route}".rstrip(),
            context=propagate.extract(dict(request.headers)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": request.method, "http.route": route, "url.path": request.path},
        ) as span:
            response = await handler(request)
            span.set_attribute("http.response.status_code", response.status)
            if response.status >= 500:
                span.set_status(Status(StatusCode.ERROR))
            return response

    return measured
