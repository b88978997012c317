from __future__ import annotations

import pytest

from slipway.errors import (
    AlreadyExists,
    Exhausted,
    FieldViolation,
    InvalidInput,
    Kind,
    NotFound,
    SlipwayError,
    Unavailable,
    invalid_field,
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidInput, Kind.INVALID_ARGUMENT),
        (NotFound, Kind.NOT_FOUND),
        (AlreadyExists, Kind.ALREADY_EXISTS),
        (Exhausted, Kind.RESOURCE_EXHAUSTED),
        (Unavailable, Kind.UNAVAILABLE),
        (SlipwayError, Kind.INTERNAL),
    ],
)
def test_each_error_has_its_kind_and_a_stable_reason(error: type[SlipwayError], kind: Kind) -> None:
    assert error.kind is kind
    assert error.reason == error.reason.upper()
    assert str(error("told")) == error("told").message == "told"


def test_a_bad_field_is_in_the_message_and_in_the_violations() -> None:
    error = invalid_field("page_size", "is -1; give 1 to 500")
    assert error.message == "page_size: is -1; give 1 to 500"
    assert error.violations == (FieldViolation("page_size", "is -1; give 1 to 500"),)


def test_facts_are_the_error_s_own() -> None:
    given = {"model": "m"}
    error = NotFound("gone", facts=given)
    given["model"] = "other"
    assert error.facts == {"model": "m"}


def test_a_rebuilt_error_is_one_of_ours_with_its_own_kind() -> None:
    one = SlipwayError.rebuild(Kind.ABORTED, "CHANGED_MEANWHILE", "moved", facts={"expected": "1"})
    other = SlipwayError.rebuild(Kind.DATA_LOSS, "CORRUPT", "bad", retry_after_s=1.0)
    assert isinstance(one, SlipwayError)
    assert (one.kind, one.reason, one.facts) == (Kind.ABORTED, "CHANGED_MEANWHILE", {"expected": "1"})
    assert (other.kind, other.reason, other.retry_after_s) == (Kind.DATA_LOSS, "CORRUPT", 1.0)
    assert (SlipwayError.kind, SlipwayError.reason) == (Kind.INTERNAL, "INTERNAL")
