"""The configuration section of what is seen of a process."""

from __future__ import annotations

from typing import Literal

from slipway.config import LoopbackAddress, Settings, from_env


class ObserveSettings(Settings):
    """How a process is seen."""

    metrics_listen: LoopbackAddress
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = from_env("OTEL_EXPORTER_OTLP_ENDPOINT", None)
