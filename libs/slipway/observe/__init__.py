"""Logs, traces and metrics of a process.

:func:`start` is the first call of every ``main``: JSON lines on stderr, each with the trace that it belongs to;
OpenTelemetry spans (exported by OTLP when an endpoint is configured); OpenTelemetry metrics, read by Prometheus
on the service's own metrics port.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from slipway.observe.logs import JsonLines
from slipway.observe.settings import ObserveSettings

__all__ = ["JsonLines", "ObserveSettings", "start"]


def start(settings: ObserveSettings, service: str) -> AbstractContextManager[None]:
    """Log, trace and serve metrics until left; what is still to be exported is flushed then.

    Once a process: OpenTelemetry's providers can't be replaced. Raises PortTaken when the metrics port is in use.
    """
    from slipway.observe.process import observed  # noqa: PLC0415  (the SDK; commands that only read settings do without)

    return observed(settings, service)
