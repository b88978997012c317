"""How much a server takes in at once, and how much of it from one caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NoReturn

from slipway.errors import Exhausted

_RETRY_AFTER_S = 0.05


class Overloaded(Exhausted):
    """The server answers as many calls, or holds as many bytes of requests, as it may; or as may be of one caller."""

    reason = "OVERLOADED"

    def __init__(self, limit: int, of: str, principal: str = "") -> None:
        whose = f"{principal!r} has its share of the {limit} {of} that are" if principal else f"{limit} {of} are"
        super().__init__(
            f"{whose} answered at once; try again, or send less at once",
            facts={"limit": str(limit), "of": of} | ({"principal": principal} if principal else {}),
            retry_after_s=_RETRY_AFTER_S,
        )


class Room:
    """Counts the calls that are being answered and the bytes of their requests; refuses what is over a bound.

    One call always fits into a server that answers none. Where several principals are known by their ``weights``, or
    several are there, each is held to what is still free times its weight over the mean: one that floods leaves about
    half to whoever comes next, and that one half of the rest. A principal without a call is refused by the bounds
    alone. ``on_refused`` is told whose call was.
    """

    def __init__(
        self,
        calls: int,
        size: int,
        weights: Mapping[str, float] | None = None,
        on_refused: Callable[[str], None] | None = None,
    ) -> None:
        self._calls_limit = calls
        self._bytes_limit = size
        self._calls = self._bytes = 0
        given = weights or {}
        mean = sum(given.values()) / len(given) if given else 1.0
        self._shared = len(given) > 1
        self._held = {name: _Held(weight / mean) for name, weight in given.items()}
        self._on_refused = on_refused

    def enter(self, principal: str, size: int) -> None:
        """Take a call in; :meth:`leave` must follow. Raises Overloaded, and then nothing has changed."""
        held = self._held.get(principal)
        if held is None:
            held = self._held[principal] = _Held(1.0)
        calls_left, bytes_left = self._calls_limit - self._calls, self._bytes_limit - self._bytes
        if self._calls and (calls_left < 1 or bytes_left < size):
            self._refuse(principal, calls=calls_left < 1, share=False)
        if held.calls and (self._shared or held.calls != self._calls):
            calls_full = held.calls + 1 > calls_left * held.share
            if calls_full or held.bytes + size > bytes_left * held.share:
                self._refuse(principal, calls=calls_full, share=True)
        held.calls += 1
        held.bytes += size
        self._calls += 1
        self._bytes += size

    def leave(self, principal: str, size: int) -> None:
        """It is answered; ``size`` as it was."""
        held = self._held[principal]
        held.calls -= 1
        held.bytes -= size
        self._calls -= 1
        self._bytes -= size

    def _refuse(self, principal: str, *, calls: bool, share: bool) -> NoReturn:
        if self._on_refused is not None:
            self._on_refused(principal)
        limit, of = (self._calls_limit, "calls") if calls else (self._bytes_limit, "bytes of requests")
        raise Overloaded(limit, of, principal if share else "")


class _Held:
    """What one principal has of the room."""

    __slots__ = ("bytes", "calls", "share")

    def __init__(self, share: float) -> None:
        self.share = share
        self.calls = self.bytes = 0
