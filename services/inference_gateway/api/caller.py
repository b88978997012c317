"""Who asks, whatever the transport."""

from __future__ import annotations

from typing import Protocol


class Caller(Protocol):
    """One call's surroundings; gRPC's is :class:`slipway.rpc.call.Call`."""

    principal: str
    """The tenant who calls; empty where anybody may."""

    @property
    def trace_id(self) -> str:
        """The trace of the call as 32 hexadecimal digits; empty when it is not traced."""
        ...
