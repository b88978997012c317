"""A message's bytes: parsed for a servicer, or left to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from slipway.errors import FieldViolation
from slipway.rpc.refusals import MalformedMessage

M = TypeVar("M", bound=Message)
Raw = TypeVar("Raw", bound=Callable[[Any, bytes, Any], Awaitable[bytes]])


def parse(kind: type[M], data: bytes) -> M:
    """The message in ``data``. Raises MalformedMessage."""
    try:
        return kind.FromString(data)
    except DecodeError:
        name = kind.DESCRIPTOR.full_name
        told = f"the {len(data)} bytes are not a {name}; encode one from the published contract"
        raise MalformedMessage(
            f"request: {told}", facts={"expected": name}, violations=[FieldViolation("request", told)]
        ) from None


def takes_bytes(method: Raw) -> Raw:
    """Mark a servicer's method of one request and one answer that reads the bytes itself and gives its answer's."""
    vars(method)["takes_bytes"] = True
    return method


def is_raw(method: object) -> bool:
    """Whether a servicer's method is marked so."""
    return bool(getattr(method, "takes_bytes", False))
