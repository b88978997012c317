"""Files in pieces: what an upload sends and a download puts together."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

from slipway.client.failures import DamagedArtifact
from slipway.durable import replace_file
from slipway.errors import invalid_field

R = TypeVar("R")
PIECE_BYTES = 512 * 1024
Source = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO
"""Bytes, the path of a file, or a binary file that is read from where it stands."""


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """The bytes of ``source`` as a file; one that was given open stays open."""
    if isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(source)
    elif isinstance(source, str | os.PathLike):
        with _open(source) as file:
            yield file
    elif callable(getattr(source, "read", None)):
        yield source
    else:
        raise invalid_field("source", f"is {type(source).__name__}; give bytes, a path or a binary file")


def _open(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise invalid_field("source", f"can't open {os.fspath(path)}: {error.strerror}") from error


class Outgoing(Generic[R]):
    """Hashes what is sent, so that the answer can be held against it; ``message`` carries a piece."""

    def __init__(self, message: Callable[..., R], source: Source, expected_digest: str | None) -> None:
        self._message = message
        if expected_digest is None and isinstance(source, bytes | bytearray | memoryview):
            expected_digest = digest(source)
        self._announced = expected_digest or ""
        self._hash = hashlib.sha256()
        self._first = True

    def request(self, chunk: bytes) -> R | None:
        """The message that carries ``chunk``; None when it is empty and no more are due."""
        if not isinstance(chunk, bytes):
            raise invalid_field("source", f"reads {type(chunk).__name__}; open the file in binary mode")
        first, self._first = self._first, False
        if not chunk and not first:
            return None
        self._hash.update(chunk)
        return self._message(chunk=chunk, expected_digest=self._announced if first else "")

    def check(self, stored: str) -> None:
        """Raise ``DamagedArtifact`` unless what was sent is what was stored."""
        sent = f"sha256:{self._hash.hexdigest()}"
        if stored != sent:
            raise DamagedArtifact(f"the service stored {stored}, but {sent} was sent; send it again")


class Incoming:
    """Puts a download together and holds it against its digest."""

    def __init__(self, digest: str) -> None:
        self._digest = digest
        self._bytes = bytearray()

    def add(self, chunk: bytes) -> None:
        """Take the next piece."""
        self._bytes += chunk

    def whole(self) -> bytes:
        """All bytes; raises ``DamagedArtifact`` when they are not those of the digest."""
        received = digest(self._bytes)
        if received != self._digest:
            raise DamagedArtifact(
                f"the bytes of {self._digest} arrived as {received}; ask again, or upload the artifact again",
                facts={"digest": self._digest, "received": received},
            )
        return bytes(self._bytes)


def digest(data: bytes | bytearray | memoryview) -> str:
    """``sha256:`` and the hexadecimal digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def saved(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write ``data`` to a file, whole or not at all. Raises InvalidInput about ``path``."""
    try:
        replace_file(Path(path), data)
    except OSError as error:
        raise invalid_field("path", f"can't write {os.fspath(path)}: {error.strerror}") from error
    return Path(path)
