"""Logs, traces and metrics of a process.

:func:`start` is the first call of every ``main``: JSON lines on stderr, each with the trace that it belongs to;
OpenTelemetry spans (exported by OTLP when an endpoint is configured); OpenTelemetry metrics, read by Prometheus
on the service's own metrics port.
"""

from slipway.observe.logs import JsonLines
from slipway.observe.start import ObserveSettings, start

__all__ = ["JsonLines", "ObserveSettings", "start"]
