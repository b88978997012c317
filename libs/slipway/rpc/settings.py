"""The configuration section of a gRPC server."""

from __future__ import annotations

from pydantic import Field

from slipway.config import LoopbackAddress, Settings


class RpcSettings(Settings):
    """Where a server listens and what it allows."""

    listen: LoopbackAddress
    max_message_bytes: int = Field(16 * 1024 * 1024, ge=1024, le=1024**3)
    max_concurrent_calls: int = Field(4096, ge=1)
    max_deadline_s: float = Field(60.0, gt=0)
    grace_s: float = Field(10.0, ge=0)
