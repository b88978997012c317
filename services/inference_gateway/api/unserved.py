"""The calls of Triton's that have no answer here, each with the reason and the way that there is instead."""

from __future__ import annotations

from google.protobuf.message import Message

from services.inference_gateway.api.caller import Caller
from slipway.errors import Kind, SlipwayError

_SHARED = "tensors in shared memory are not taken, for a gateway trusts no caller's memory; send them in the message"
_TRACE = "traces are not set by callers; they go to OpenTelemetry as the gateway's [observe] configuration says"
_LOG = "the log is not set by callers; set [observe] log_level in the gateway's configuration"


class NotServed(SlipwayError):
    """A call that this server does not answer, on purpose."""

    kind = Kind.UNIMPLEMENTED
    reason = "NOT_SERVED"


def shared_memory() -> NotServed:
    """Why there is no shared memory."""
    return NotServed(_SHARED)


def trace_settings() -> NotServed:
    """Why traces are not set."""
    return NotServed(_TRACE)


def log_settings() -> NotServed:
    """Why the log is not set."""
    return NotServed(_LOG)


class Unserved:
    """Those calls over gRPC."""

    async def SystemSharedMemoryStatus(self, request: Message, call: Caller) -> Message:
        """Refuse."""
        raise shared_memory()

    async def SystemSharedMemoryRegister(self, request: Message, call: Caller) -> Message:
        """Refuse."""
        raise shared_memory()

    async def SystemSharedMemoryUnregister(self, request: Message, call: Caller) -> Message:
        """Refuse."""
        raise shared_memory()

    async def CudaSharedMemoryStatus(self, request: Message, call: Caller) -> Message:
        """Refuse."""
        raise shared_memory()

    async def CudaSharedMemoryRegister(self, request: Message, call: Caller) -> Message:
        """Refuse."""
        raise shared_memory()

    async def CudaSharedMemoryUnregister(self, request: Message, call: Caller) -> Message:
        """Refuse."""
        raise shared_memory()

    async def TraceSetting(self, request: Message, call: Caller) -> Message:
        """Refuse."""
        raise trace_settings()

    async def LogSettings(self, request: Message, call: Caller) -> Message:
        """Refuse."""
        raise log_settings()
