"""The name of an artifact."""

from __future__ import annotations

import hashlib
import re

from slipway.artifacts.errors import InvalidDigest

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def digest_of(data: bytes) -> str:
    """The digest that names ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def hex_of(digest: str) -> str:
    """The 64 hex digits of a well-formed digest, the only text that ever becomes part of a path."""
    match = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if match is None:
        raise InvalidDigest(str(digest))
    return match.group(1)
