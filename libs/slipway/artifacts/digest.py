"""The name of an artifact."""

from __future__ import annotations

import hashlib
import re

from slipway.artifacts.errors import InvalidDigest
from slipway.errors import invalid_field

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def digest_of(data: bytes) -> str:
    """The digest that names ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def check_digest(field: str, digest: str) -> str:
    """The digest, well-formed. Raises InvalidInput about ``field``."""
    if not _DIGEST.fullmatch(digest):
        raise invalid_field(field, f"{digest[:80]!r} is no digest; give 'sha256:' and 64 lower-case hex digits")
    return digest


def hex_of(digest: str) -> str:
    """The 64 hex digits of a well-formed digest, the only text that ever becomes part of a path."""
    match = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if match is None:
        raise InvalidDigest(str(digest))
    return match.group(1)
