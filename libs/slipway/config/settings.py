"""The base of every configuration section, and the address type that all of them share."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen section of configuration; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


_HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:]*):(?P<port>[0-9]{1,5})", re.ASCII)


def _loopback(address: str) -> str:
    found = _HOST_PORT.fullmatch(address)
    if found is None or int(found["port"]) > 65535:
        raise ValueError("must be host:port with a port from 0 to 65535, such as 127.0.0.1:8001 or [::1]:8001")
    host = found["host"]
    if not _is_loopback(host.strip("[]")):
        raise ValueError(
            f"binds {host or 'every interface'}: until Slipway has authorisation it listens on "
            "loopback only; use 127.0.0.1"
        )
    return address


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


LoopbackAddress = Annotated[str, AfterValidator(_loopback)]
"""``host:port`` to listen on; anything wider than loopback is refused. Port 0 takes a free one."""


DataFolder = Annotated[Path, AfterValidator(lambda folder: folder.expanduser().resolve())]
"""A folder that outlives the process; made absolute, so that it means the same wherever a command runs."""
