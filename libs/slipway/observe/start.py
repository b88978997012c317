"""Setting up a process's logs, traces and metrics."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import start_http_server

from slipway.config import ConfigError, LoopbackAddress, Settings, from_env
from slipway.observe.logs import JsonLines


class ObserveSettings(Settings):
    """How a process is seen."""

    metrics_listen: LoopbackAddress
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = from_env("OTEL_EXPORTER_OTLP_ENDPOINT", None)


@contextmanager
def start(settings: ObserveSettings, service: str) -> Iterator[None]:
    """Log, trace and serve metrics until left; what is still to be exported is flushed then.

    Raises :class:`slipway.config.ConfigError` when the metrics port is taken.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    # Alembic tells of every plugin it sets up, at each start.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    resource = Resource.create({"service.name": service, "service.namespace": "slipway"})
    tracer = TracerProvider(resource=resource)
    if settings.otlp_endpoint:
        exporter = OTLPSpanExporter(endpoint=settings.otlp_endpoint, insecure=True)
        tracer.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(tracer)
    meter = MeterProvider(resource=resource, metric_readers=[PrometheusMetricReader()])
    metrics.set_meter_provider(meter)
    host, _, port = settings.metrics_listen.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"))
    except OSError as error:
        raise ConfigError(
            f"can't serve metrics on {settings.metrics_listen}: {error.strerror}; end the process that holds "
            "the port, or move this one by observe.metrics_listen in its configuration"
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        meter.shutdown()
        tracer.shutdown()
