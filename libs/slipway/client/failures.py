"""Every way that a call can fail, as one ``SlipwayError`` that says which service, where, and the mend."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import grpc

from slipway.client.peers import MESSAGE_BYTES, Peer
from slipway.errors import Exhausted, Kind, SlipwayError, Unavailable
from slipway.rpc import status


class Unreachable(Unavailable):
    """Nothing answers at the service's address, or the connection broke."""

    reason = "UNREACHABLE"


class DeadlineExceeded(SlipwayError):
    """The answer did not come in the time that the call had."""

    kind = Kind.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"


class UnknownMethod(SlipwayError):
    """The server does not know the method."""

    kind = Kind.UNIMPLEMENTED
    reason = "UNKNOWN_METHOD"


class MessageTooLarge(Exhausted):
    """A message passes the limit of one of the two sides."""

    reason = "MESSAGE_TOO_LARGE"


class Cancelled(SlipwayError):
    """The other side, or the closing of the client, ended the call."""

    kind = Kind.CANCELLED
    reason = "CANCELLED"


class ClientClosed(SlipwayError):
    """The client was closed; make another."""

    kind = Kind.FAILED_PRECONDITION
    reason = "CLIENT_CLOSED"

    def __init__(self) -> None:
        super().__init__("this client is closed; make another, and keep it open for as long as it is used")


class UnreadableAnswer(SlipwayError):
    """The server answered with bytes that are not the contract's message."""

    kind = Kind.INTERNAL
    reason = "UNREADABLE_ANSWER"


class DamagedArtifact(SlipwayError):
    """The bytes that were sent or received are not those of the digest."""

    kind = Kind.DATA_LOSS
    reason = "DAMAGED_ARTIFACT"


@dataclass(frozen=True, slots=True)
class CallSite:
    """What was called, where, and how long it had (None: as long as it takes)."""

    peer: Peer
    address: str
    method: str
    timeout_s: float | None

    @property
    def facts(self) -> dict[str, str]:
        """The call for programs."""
        return {"service": self.peer.name, "address": self.address, "method": self.method}

    def told(self, error: BaseException, *, closed: bool) -> BaseException:
        """The error to raise for ``error``, which gRPC or the event loop raised."""
        if isinstance(error, asyncio.CancelledError):
            # grpc.aio raises it for a call that the server or the channel cancelled, too.
            return error if _we_are_cancelled() else self._ended(closed)
        return self._status(error, closed) if isinstance(error, grpc.RpcError) else error

    def _status(self, error: Any, closed: bool) -> SlipwayError:
        code, trailing = error.code(), tuple(error.trailing_metadata() or ())
        if any(key == status.DETAILS_KEY for key, _ in trailing):
            return status.decode(code, error.details() or "", trailing)
        if code is grpc.StatusCode.CANCELLED:
            return self._ended(closed)
        return self._undetailed(code) or status.decode(code, self._plain(code, error.details()), None)

    def unreadable(self) -> SlipwayError:
        """The error for an answer that does not parse."""
        text = f"{self.peer.name} at {self.address} answered {self.method} with bytes of another contract"
        return UnreadableAnswer(f"{text}; is it another version of Slipway?", facts=self.facts)

    def late(self) -> SlipwayError:
        """The error for an answer that did not come in time."""
        within = "in time" if self.timeout_s is None else f"within {self.timeout_s:.3g} s"
        text = f"{self.peer.name} at {self.address} did not answer {self.method} {within}"
        return DeadlineExceeded(f"{text}; allow more by timeout_s, or ask for less", facts=self.facts)

    def _ended(self, closed: bool) -> SlipwayError:
        if closed:
            return ClientClosed()
        return Cancelled(f"{self.peer.name} at {self.address} cancelled {self.method}", facts=self.facts)

    def _undetailed(self, code: grpc.StatusCode) -> SlipwayError | None:
        where = f"{self.peer.name} at {self.address}"
        if code is grpc.StatusCode.UNAVAILABLE:
            mend = f"start it with `slipway up`, or say where it is by {self.peer.variable}"
            return Unreachable(f"{where} does not answer; {mend}", facts=self.facts)
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return self.late()
        if code is grpc.StatusCode.UNIMPLEMENTED:
            text = f"{where} does not know {self.method}; another server listens there, or another version of Slipway"
            return UnknownMethod(text, facts=self.facts)
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            text = f"a message of {self.method} is larger than {where} takes, or than the {MESSAGE_BYTES} bytes that"
            return MessageTooLarge(f"{text} this client takes; split it", facts=self.facts)
        return None

    def _plain(self, code: grpc.StatusCode, details: str | None) -> str:
        return f"{self.peer.name} at {self.address} failed {self.method}: {details or code.name}"


def _we_are_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
