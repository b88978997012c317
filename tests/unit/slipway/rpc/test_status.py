from __future__ import annotations

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import status_pb2
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import FieldViolation, Kind, SlipwayError
from slipway.rpc import status

# What a peer takes by default before it drops the trailer with the error in it.
PEER_BYTES = 8192


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_comes_back(kind: Kind) -> None:
    error = SlipwayError.rebuild(kind, "SOME_REASON", "told", facts={"a": "b"}, retry_after_s=0.25)
    back = status.decode(*status.encode(error))
    assert (back.kind, back.reason, back.message) == (kind, "SOME_REASON", "told")
    assert (back.facts, back.violations, back.retry_after_s) == ({"a": "b"}, (), 0.25)


_TEXT = st.text(max_size=3000)


@given(_TEXT, st.dictionaries(st.text(max_size=400), _TEXT, max_size=5), st.lists(st.tuples(_TEXT, _TEXT), max_size=6))
def test_the_details_of_any_error_fit_into_a_trailer(
    message: str, facts: dict[str, str], violations: list[tuple[str, str]]
) -> None:
    error = SlipwayError(message, facts=facts, violations=[FieldViolation(*one) for one in violations])
    _, told, ((_, details),) = status.encode(error)
    assert 3 * len(told.encode()) + 4 * len(details) / 3 < PEER_BYTES
    back = status.decode(*status.encode(error))
    if len(message.encode()) <= 800:
        assert back.message == message


def test_what_does_not_fit_is_counted() -> None:
    violations = [FieldViolation(f"rows[{n}]", "x" * 300) for n in range(100)]
    back = status.decode(*status.encode(SlipwayError("bad", violations=violations)))
    assert back.violations[0] == violations[0]
    assert back.violations[-1] == FieldViolation("(more)", f"{100 - len(back.violations) + 1} more are wrong")


def test_an_error_of_a_foreign_server_keeps_its_code() -> None:
    back = status.decode(grpc.StatusCode.UNAVAILABLE, "no route", None)
    assert (back.kind, back.reason, back.message) == (Kind.UNAVAILABLE, "UNAVAILABLE", "no route")
    assert status.decode(grpc.StatusCode.UNKNOWN, "?", ()).kind is Kind.INTERNAL


@pytest.mark.parametrize(
    "details",
    [
        b"\xff\xff",
        status_pb2.Status(
            details=[Packed(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")]
        ).SerializeToString(),
        status_pb2.Status(details=[Packed(type_url="type.googleapis.com/other.Thing", value=b"x")]).SerializeToString(),
    ],
)
def test_details_that_are_junk_or_unknown_are_passed_over(details: bytes) -> None:
    back = status.decode(grpc.StatusCode.NOT_FOUND, "gone", ((status.DETAILS_KEY, details),))
    assert (back.kind, back.reason) == (Kind.NOT_FOUND, "NOT_FOUND")
