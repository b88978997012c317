"""Setting up a process's logs, traces and metrics."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from opentelemetry import metrics, trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBasedTraceIdRatio, Sampler
from prometheus_client import start_http_server

from slipway.lifecycle import PortTaken
from slipway.observe.logs import JsonLines
from slipway.observe.settings import ObserveSettings

log = logging.getLogger(__name__)


@contextmanager
def observed(settings: ObserveSettings, service: str) -> Iterator[None]:
    """Log, trace and serve metrics until left; what is still to be exported is flushed then.

    Once a process: OpenTelemetry's providers can't be replaced. Raises PortTaken when the metrics port is in use.
    """
    with ExitStack() as ending:
        ending.enter_context(_logging(settings.log_level, service))
        resource = Resource.create({"service.name": service, "service.namespace": "slipway"})
        tracer = TracerProvider(resource=resource, sampler=_sampler(settings))
        ending.callback(tracer.shutdown)
        if settings.otlp_endpoint:
            tracer.add_span_processor(BatchSpanProcessor(_exporter(settings.otlp_endpoint)))
        trace.set_tracer_provider(tracer)
        meter = MeterProvider(resource=resource, metric_readers=[PrometheusMetricReader()])
        ending.callback(meter.shutdown)
        metrics.set_meter_provider(meter)
        ending.enter_context(_metrics_served(settings.metrics_listen))
        yield


def _sampler(settings: ObserveSettings) -> Sampler:
    if not settings.otlp_endpoint:
        # Without an exporter spans are only ids: recording them would cost every call and nobody would see them.
        return ALWAYS_OFF
    return ParentBasedTraceIdRatio(settings.sampling_ratio)


def _exporter(endpoint: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  (slow)

    return OTLPSpanExporter(endpoint=endpoint, insecure=True)


@contextmanager
def _logging(level: str, service: str) -> Iterator[None]:
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    old_level = root.level
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Alembic tells of every plugin it sets up, at each start.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers = before
        root.setLevel(old_level)


@contextmanager
def _metrics_served(address: str) -> Iterator[None]:
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"))
    except OSError as error:
        raise PortTaken("serve metrics", address, "observe.metrics_listen", error) from error
    log.info("serving metrics", extra={"port": server.server_port})
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
