"""The configuration section of what is seen of a process."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slipway.config import LoopbackAddress, Settings, from_env


class ObserveSettings(Settings):
    """How a process is seen."""

    metrics_listen: LoopbackAddress
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = from_env("OTEL_EXPORTER_OTLP_ENDPOINT", None)
    sampling_ratio: float = Field(1.0, ge=0, le=1)
    """Of the calls that bring no trace, the share that is traced; a caller's own decision is heeded."""
