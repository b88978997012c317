"""The base of every configuration section, and the address type that all of them share."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen section of configuration; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


def _loopback(address: str) -> str:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ValueError("must be host:port with a port from 0 to 65535, such as 127.0.0.1:8001")
    name = host.strip("[]")
    try:
        wide = name != "localhost" and not ipaddress.ip_address(name).is_loopback
    except ValueError:
        wide = True
    if wide:
        raise ValueError(
            f"binds {name or 'every interface'}: until Slipway has authorisation it listens on "
            "loopback only; use 127.0.0.1"
        )
    return address


LoopbackAddress = Annotated[str, AfterValidator(_loopback)]
"""``host:port`` to listen on; anything wider than loopback is refused. Port 0 takes a free one."""


DataFolder = Annotated[Path, AfterValidator(lambda folder: folder.expanduser().resolve())]
"""A folder that outlives the process; made absolute, so that it means the same wherever a command runs."""
