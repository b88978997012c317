"""``host:port`` as two values."""

from __future__ import annotations

import re

from slipway.errors import invalid_field

_FORM = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:\s]+):(?P<port>[0-9]{1,5})", re.ASCII)


def host_and_port(text: str, field: str) -> tuple[str, int]:
    """The host, without brackets, and the port. Raises InvalidInput about ``field``."""
    found = _FORM.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise invalid_field(field, f"{text[:100]!r} is no address; write host:port, such as 127.0.0.1:6379")
    return found["host"].strip("[]"), int(found["port"])


def loopback(text: str, field: str) -> tuple[str, int]:
    """As :func:`host_and_port`, to listen on: what others could reach is refused."""
    host, port = host_and_port(text, field)
    if host not in {"127.0.0.1", "localhost", "::1"}:
        raise invalid_field(field, f"{host} is not this machine alone; use 127.0.0.1")
    return host, port
