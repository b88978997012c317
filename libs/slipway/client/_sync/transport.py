# Generated from libs/slipway/client/_async/transport.py by scripts/generate; do not edit.
"""Calls over gRPC with raw bytes: deadlines, trace context, and errors rebuilt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any, Generic, Self, TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry import propagate

from slipway.client.channels import Channel, open_channel
from slipway.client.failures import CallSite, ClientClosed
from slipway.client.peers import Peer
from slipway.rpc import deadline

R = TypeVar("R", bound=Message)
T = TypeVar("T")


class Stub:
    """One service's methods by name. Opens its channel at the first call; closed once and for all."""

    def __init__(self, peer: Peer, address: str | None, timeout_s: float, token: str | None = None) -> None:
        self._peer = peer
        self._authorization = (("authorization", f"Bearer {token}"),) if token else ()
        self._given = address
        self._address: str | None = None
        self._timeout_s = timeout_s
        self._channels: dict[bool, Channel] = {}
        self._closed = False
        self._lock = threading.Lock()

    def unary(
        self,
        method: str,
        request: Message,
        response: type[R],
        *,
        timeout_s: float | None = None,
        keyed: bool = False,
    ) -> R:
        """One answer to one message. ``keyed`` says that this request is safe to repeat."""
        channel: Any = self._channel(keyed)
        site = self._limited(method, timeout_s)
        call = channel.unary_unary(self._path(method))
        try:
            data = call(request.SerializeToString(), timeout=site.timeout_s, metadata=self._metadata())
        except BaseException as error:
            raise site.told(error, closed=self._closed) from None
        return _parsed(response, data, site)

    def upload(
        self, method: str, requests: Iterator[Message], response: type[R], *, timeout_s: float | None = None
    ) -> R:
        """One answer to many messages; an error that ``requests`` raises is raised here."""
        channel: Any = self._channel(False)
        site = self._limited(method, timeout_s)
        call = channel.stream_unary(self._path(method))
        failed: list[Exception] = []
        try:
            data = call(_serialised(requests, failed), timeout=site.timeout_s, metadata=self._metadata())
        except BaseException as error:
            # gRPC hides what its iterator of requests raised behind a cancelled call.
            raise failed[0] if failed else site.told(error, closed=self._closed) from None
        return _parsed(response, data, site)

    def stream(
        self,
        method: str,
        request: Message,
        response: type[R],
        decode: Callable[[R], T],
        *,
        timeout_s: float | None = None,
    ) -> Stream[T]:
        """Each answer to one message, decoded; without ``timeout_s``, for as long as it takes."""
        channel: Any = self._channel(False)
        site = self._site(method, timeout_s)
        call = channel.unary_stream(self._path(method))
        answers = call(request.SerializeToString(), timeout=timeout_s, metadata=self._metadata())
        return Stream(answers, lambda data: decode(_parsed(response, data, site)), self._teller(site))

    def exchange(
        self, method: str, requests: Iterator[Message], response: type[R], decode: Callable[[R], T]
    ) -> Stream[T]:
        """Each answer to many messages, decoded, for as long as it takes; an error of ``requests`` is raised here."""
        channel: Any = self._channel(False)
        site = self._site(method, None)
        failed: list[Exception] = []
        call = channel.stream_stream(self._path(method))
        answers = call(_serialised(requests, failed), metadata=self._metadata())
        told = self._teller(site)
        return Stream(
            answers,
            lambda data: decode(_parsed(response, data, site)),
            # gRPC hides what its iterator of requests raised behind a cancelled call.
            lambda error: failed[0] if failed else told(error),
        )

    def pages(self, method: str, request: Any, response: type[R]) -> Iterator[R]:
        """Each page that ``request`` asks for, from its page_token to the last."""
        while True:
            page: Any = self.unary(method, request, response)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def close(self) -> None:
        """Close the connection; calls that still run fail with ``ClientClosed``."""
        with self._lock:
            self._closed = True
            channels: list[Any] = list(self._channels.values())
            self._channels.clear()
        for channel in channels:
            channel.close()

    def _teller(self, site: CallSite) -> Callable[[BaseException], BaseException]:
        return lambda error: site.told(error, closed=self._closed)

    def _channel(self, keyed: bool) -> Channel:
        """A channel an option of retries: gRPC chooses by method, and some are safe in some requests only."""
        with self._lock:
            if self._closed:
                raise ClientClosed
            if self._address is None:
                self._address = self._peer.address(self._given)
            found = self._channels.get(keyed)
            if found is None:
                found = open_channel(self._address, self._peer.options(keyed=keyed))
                self._channels[keyed] = found
            return found

    def _limited(self, method: str, timeout_s: float | None) -> CallSite:
        allowed_s = deadline.within(self._timeout_s if timeout_s is None else timeout_s)
        site = self._site(method, allowed_s)
        if allowed_s <= 0:
            # gRPC rounds up, and would have the server work for nobody.
            raise site.late()
        return site

    def _site(self, method: str, timeout_s: float | None) -> CallSite:
        return CallSite(self._peer, self._address or "", method, timeout_s)

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        return (*carrier.items(), *self._authorization)

    def _path(self, method: str) -> str:
        return f"/{self._peer.contract}/{method}"


class Stream(Generic[T]):
    """Answers as they come. Close it, or use it in a ``with`` block; one that is dropped is cancelled."""

    def __init__(self, call: Any, decode: Callable[[bytes], T], told: Callable[[BaseException], BaseException]) -> None:
        self._call = call
        self._answers: Iterator[bytes] = call.__iter__()
        self._decode = decode
        self._told = told
        self._left = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._left:
            raise StopIteration
        try:
            data = self._answers.__next__()
        except StopIteration:
            raise
        except BaseException as error:
            told = self._told(error)
            if self._left:
                raise StopIteration from None
            raise told from None
        return self._decode(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stream on both sides; whoever iterates sees its end."""
        self._left = True
        self._call.cancel()


def _serialised(requests: Iterator[Message], failed: list[Exception]) -> Iterator[bytes]:
    try:
        for request in requests:
            yield request.SerializeToString()
    except Exception as error:
        failed.append(error)
        raise


def _parsed(response: type[R], data: bytes, site: CallSite) -> R:
    try:
        return response.FromString(data)
    except DecodeError:
        raise site.unreadable() from None
