"""What stands around each call: its span and metrics, and every way to fail turned into a status with details."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor

from slipway.errors import SlipwayError
from slipway.rpc import status
from slipway.rpc.refusals import Draining, Internal
from slipway.rpc.telemetry import ServedCall

log = logging.getLogger(__name__)


class Guard:
    """One call's: :meth:`start` before the servicer is called, then :meth:`done`, or :meth:`failed` with the error."""

    __slots__ = ("_context", "_draining", "_method", "_span")

    def __init__(
        self,
        method: MethodDescriptor,
        context: grpc.aio.ServicerContext[bytes, bytes],
        span: ServedCall,
        draining: Callable[[], bool],
    ) -> None:
        self._method = method
        self._context = context
        self._span = span
        self._draining = draining

    def start(self) -> None:
        """Begin the span."""
        self._span.start()

    def done(self) -> None:
        """There is an answer."""
        self._span.finish(grpc.StatusCode.OK)

    async def failed(self, error: BaseException) -> None:
        """Tell the caller by a status, which raises; returns where there is nobody to tell, or it was told before."""
        if isinstance(error, grpc.aio.AbortError):
            self._span.finish(self._context.code() or grpc.StatusCode.UNKNOWN)
            return
        if (refusal := self.refusal(error)) is not None:
            await self._context.abort(*refusal)

    def refusal(self, error: BaseException) -> status.Encoded | None:
        """The status that the caller is to be told; None where there is nobody to tell."""
        told = None if self._context.cancelled() else self._told(error)
        if told is None:
            # The caller left, or the loop ends: there is nobody to tell.
            self._span.finish(grpc.StatusCode.CANCELLED)
            return None
        encoded = status.encode(told)
        self._span.finish(encoded[0], error)
        return encoded

    def _told(self, error: BaseException) -> SlipwayError | None:
        if isinstance(error, SlipwayError):
            if error.__cause__ is not None:
                # The caller gets our words; what the driver said is only here.
                log.warning("a call was refused: %s", error.message, exc_info=error.__cause__, extra=self._facts(error))
            return error
        if isinstance(error, asyncio.CancelledError) and self._draining():
            return Draining()
        if not isinstance(error, Exception):
            return None
        log.error("a call failed by a defect", exc_info=error, extra={"rpc": self._method.full_name})
        return Internal(self._method.full_name, self._span.trace_id or "none")

    def _facts(self, error: SlipwayError) -> dict[str, str]:
        return {"rpc": self._method.full_name, "reason": error.reason}
