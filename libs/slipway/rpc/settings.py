"""The configuration section of a gRPC server."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slipway.config import LoopbackAddress, Settings


class RpcSettings(Settings):
    """Where a server listens and what it allows.

    ``max_pending_bytes`` are of the requests that are being answered, all of them together. A connection on which
    nothing came for ``keepalive_s`` is asked whether anybody is there, and ends when a third of that brings no answer:
    who was cut off without a word holds no stream for good.
    """

    listen: LoopbackAddress
    max_message_bytes: int = Field(16 * 1024 * 1024, ge=1024, le=1024**3)
    max_concurrent_calls: int = Field(4096, ge=1)
    max_pending_bytes: int = Field(256 * 1024 * 1024, ge=1024)
    max_deadline_s: float = Field(60.0, gt=0)
    keepalive_s: float = Field(60.0, ge=1)
    grace_s: float = Field(10.0, ge=0)
    front: Literal["auto", "native", "grpc"] = "auto"
