"""HTTP/2 for gRPC servers in threads without Python's lock; see :mod:`slipway.rpc.native`."""

from collections.abc import Sequence

class Call:
    """A call that waits for its answer."""

    @property
    def id(self) -> int:
        """Its number, by which its end is told."""

    @property
    def method(self) -> int:
        """The place of its method among those that the front was given."""

    @property
    def message(self) -> bytes:
        """The request's bytes."""

    def remaining_s(self) -> float | None:
        """Seconds that the caller still waits, never negative; None where it waits for ever."""

    def metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """What the caller sent beside the message; bytes where a name ends with "-bin"."""

    def has(self, name: str) -> bool:
        """Whether the caller sent something under this name, in lower case, beside the message."""

    def fail(self, code: int, message: str, trailing: Sequence[tuple[str, bytes]]) -> bool:
        """Answer with a status. False: it was answered before, or nobody waits."""

class Front:
    """Listens from the start on, and hands over calls."""

    def __init__(
        self,
        listeners: Sequence[int],
        wake: int,
        methods: Sequence[str],
        upstream: str,
        *,
        threads: int,
        message_bytes: int,
        arriving_bytes: int,
        longest_s: float,
        keepalive_s: float,
        streams: int,
    ) -> None:
        """Takes over listening sockets and the writing end of a pipe, both non-blocking.

        ``methods`` are paths; ``upstream`` is the abstract name of the socket of the server that answers all others.
        """

    def take(self) -> tuple[list[Call], list[int]]:
        """The calls that came, and the numbers of those whose caller is gone; the pipe was emptied before."""

    @staticmethod
    def answer(answers: Sequence[tuple[Call, bytes]]) -> None:
        """Answer several calls, each with its message's bytes."""

    def drain(self) -> None:
        """Take no more connections, and ask callers to leave; what runs goes on."""

    def close(self, patience_s: float) -> None:
        """Wait until every connection is closed, that long at most, then close those left."""
