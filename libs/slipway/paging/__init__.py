"""Keyset pages: how every List call takes a size and a token, and gives the next token.

A token is opaque to callers and holds the sort key of the last row they saw, so that a page costs the same
however deep it is, and rows that come or go meanwhile neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from slipway.errors import invalid_field

T = TypeVar("T")
Key = tuple[str | int, ...]

DEFAULT_SIZE = 50
MAX_SIZE = 500
# Well above any key of ours; what is longer, or a number outside of what databases hold, was never given out.
_LONGEST_TOKEN = 4_096
_MOST = 2**63


@dataclass(frozen=True, slots=True)
class Page:
    """What a caller asked for: ``size`` rows after the sort key ``after`` (None: from the start)."""

    size: int
    after: Key | None

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than asked for tells whether another page follows."""
        return self.size + 1


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A page of rows and the token of the next one, empty on the last."""

    rows: Sequence[T]
    next_token: str


def parse(size: int, token: str, shape: tuple[type, ...]) -> Page:
    """Read a request's page_size and page_token, whose key has the types of ``shape``.

    Raises InvalidInput about ``page_size`` or ``page_token``.
    """
    if not 0 <= size <= MAX_SIZE:
        raise invalid_field("page_size", f"is {size}; give 1 to {MAX_SIZE}, or 0 for {DEFAULT_SIZE}")
    return Page(size or DEFAULT_SIZE, _decode(token, shape) if token else None)


def cut(rows: Sequence[T], page: Page, key: Callable[[T], Key]) -> Slice[T]:
    """Turn the ``page.fetch`` rows that were read into the answer."""
    if len(rows) <= page.size:
        return Slice(rows, "")
    kept = rows[: page.size]
    return Slice(kept, base64.urlsafe_b64encode(json.dumps(key(kept[-1])).encode()).decode())


def _decode(token: str, shape: tuple[type, ...]) -> Key:
    key = _json(token) if len(token) <= _LONGEST_TOKEN else None
    if (
        not isinstance(key, list)
        or len(key) != len(shape)
        or not all(type(part) is kind and _storable(part) for part, kind in zip(key, shape, strict=True))
    ):
        raise invalid_field("page_token", "is not a token of this call; pass next_page_token back as it came")
    return tuple(key)


def _json(token: str) -> object:
    try:
        return json.loads(base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _storable(part: object) -> bool:
    if isinstance(part, int):
        return -_MOST <= part < _MOST
    if not isinstance(part, str):
        return False
    # JSON can spell half a surrogate pair and NUL, which no database takes as text.
    return "\0" not in part and not any("\ud800" <= character <= "\udfff" for character in part)
