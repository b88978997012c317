"""Kinds of errors to gRPC codes and back, with ``google.rpc`` details."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from slipway.errors import FieldViolation, Kind, SlipwayError

DOMAIN = "slipway"
DETAILS_KEY = "grpc-status-details-bin"
Metadata = tuple[tuple[str, bytes], ...]

# A trailer that outgrows what HTTP/2 peers accept would hide the error itself.
_MOST_VIOLATIONS = 32
_LONGEST_MESSAGE = 2_000

CODES: dict[Kind, grpc.StatusCode] = {kind: grpc.StatusCode[kind.name] for kind in Kind}
KINDS: dict[grpc.StatusCode, Kind] = {code: kind for kind, code in CODES.items()}


def encode(error: SlipwayError) -> tuple[grpc.StatusCode, str, Metadata]:
    """The code, message and trailing metadata (ErrorInfo, BadRequest, RetryInfo) of ``error``."""
    code = CODES[error.kind]
    message = error.message[:_LONGEST_MESSAGE]
    status = status_pb2.Status(code=code.value[0], message=message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.facts))
    if error.violations:
        bad = error_details_pb2.BadRequest()
        for violation in error.violations[:_MOST_VIOLATIONS]:
            bad.field_violations.add(field=violation.field, description=violation.description)
        status.details.add().Pack(bad)
    if error.retry_after_s is not None:
        delay = Duration()
        delay.FromNanoseconds(int(error.retry_after_s * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return code, message, ((DETAILS_KEY, status.SerializeToString()),)


def decode(code: grpc.StatusCode, message: str, trailing: Sequence[tuple[str, str | bytes]] | None) -> SlipwayError:
    """The error that :func:`encode` was given; without details, one of the same kind with its code as reason."""
    reason, facts, violations, retry = code.name, {}, [], None
    for detail in _details(trailing or ()):
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            reason, facts = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest()
            detail.Unpack(bad)
            violations = [FieldViolation(one.field, one.description) for one in bad.field_violations]
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            info_retry = error_details_pb2.RetryInfo()
            detail.Unpack(info_retry)
            retry = info_retry.retry_delay.ToNanoseconds() / 1e9
    return SlipwayError.rebuild(
        KINDS.get(code, Kind.INTERNAL),
        reason,
        message,
        facts=facts,
        violations=violations,
        retry_after_s=retry,
    )


def _details(trailing: Sequence[tuple[str, str | bytes]]) -> Sequence[Any]:
    for key, value in trailing:
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return list(status_pb2.Status.FromString(value).details)
            except DecodeError:
                return []
    return []
