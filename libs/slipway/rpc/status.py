"""Kinds of errors to gRPC codes and back, with ``google.rpc`` details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from slipway.errors import FieldViolation, Kind, SlipwayError

DOMAIN = "slipway"
DETAILS_KEY = "grpc-status-details-bin"
Metadata = tuple[tuple[str, bytes], ...]

# A trailer that outgrows what HTTP/2 peers accept (8 KiB by default) would hide the error itself. The message
# travels twice, once percent-encoded; binary details may be base64.
_MESSAGE_BYTES = 800
_TEXT_BYTES = 400
_FACTS_BYTES = 1_000
_VIOLATIONS_BYTES = 2_000

CODES: dict[Kind, grpc.StatusCode] = {kind: grpc.StatusCode[kind.name] for kind in Kind}
KINDS: dict[grpc.StatusCode, Kind] = {code: kind for kind, code in CODES.items()}


Encoded = tuple[grpc.StatusCode, str, Metadata]
"""A code, a message and trailing metadata."""


def encode(error: SlipwayError) -> Encoded:
    """The code, message and trailing metadata (ErrorInfo, BadRequest, RetryInfo) of ``error``."""
    code = CODES[error.kind]
    message = _clip(error.message, _MESSAGE_BYTES)
    status = status_pb2.Status(code=code.value[0], message=message)
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_facts(error.facts))
    status.details.add().Pack(info)
    if error.violations:
        status.details.add().Pack(_bad_request(error.violations))
    if error.retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return code, message, ((DETAILS_KEY, status.SerializeToString()),)


def _facts(facts: Mapping[str, str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    left = _FACTS_BYTES
    for name, value in facts.items():
        told = _clip(value, _TEXT_BYTES)
        left -= len(name.encode()) + len(told.encode())
        if left < 0:
            break
        kept[name] = told
    return kept


def _bad_request(violations: Sequence[FieldViolation]) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    left = _VIOLATIONS_BYTES
    for position, violation in enumerate(violations):
        field, told = _clip(violation.field, _TEXT_BYTES), _clip(violation.description, _TEXT_BYTES)
        left -= len(field.encode()) + len(told.encode())
        if left < 0:
            bad.field_violations.add(field="(more)", description=f"{len(violations) - position} more are wrong")
            break
        bad.field_violations.add(field=field, description=told)
    return bad


def _clip(text: str, limit_bytes: int) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= limit_bytes:
        return data.decode()
    return data[: limit_bytes - 3].decode("utf-8", "ignore") + "…"


def decode(code: grpc.StatusCode, message: str, trailing: Sequence[tuple[str, str | bytes]] | None) -> SlipwayError:
    """The error that :func:`encode` was given; without details, one of the same kind with its code as reason."""
    reason, facts, violations, retry = code.name, {}, [], None
    for detail in _details(trailing or ()):
        match detail:
            case error_details_pb2.ErrorInfo():
                reason, facts = detail.reason, dict(detail.metadata)
            case error_details_pb2.BadRequest():
                violations = [FieldViolation(one.field, one.description) for one in detail.field_violations]
            case error_details_pb2.RetryInfo():
                retry = detail.retry_delay.ToNanoseconds() / 1e9
    return SlipwayError.rebuild(
        KINDS.get(code, Kind.INTERNAL),
        reason,
        message,
        facts=facts,
        violations=violations,
        retry_after_s=retry,
    )


def _details(trailing: Sequence[tuple[str, str | bytes]]) -> list[Message]:
    for key, value in trailing:
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                found = [_unpacked(packed) for packed in status_pb2.Status.FromString(value).details]
                return [one for one in found if one is not None]
            except DecodeError:
                return []
    return []


def _unpacked(packed: Any) -> Message | None:
    for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
        if packed.Is(kind.DESCRIPTOR):
            found: Message = kind.FromString(packed.value)
            return found
    return None
