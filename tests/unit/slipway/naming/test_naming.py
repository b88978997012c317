from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import InvalidInput
from slipway.naming import column_name, identifier, request_id, resource_name

Check = Callable[[str, str], str]
CHECKS = [resource_name, column_name, identifier, request_id]


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (resource_name, "flight-delay"),
        (resource_name, "a"),
        (resource_name, "a.b_c-9"),
        (resource_name, "a" * 128),
        (column_name, "_Dep.hour-2"),
        (identifier, "plane_age"),
        (request_id, "!~"),
        (request_id, "6d1f8a5e-0b7e-4f0e-9d4e-5a1d"),
    ],
)
def test_a_good_name_comes_back(check: Check, value: str) -> None:
    assert check("field", value) == value


@pytest.mark.parametrize(
    ("check", "value"),
    [
        (resource_name, "Flight"),
        (resource_name, "1st"),
        (resource_name, ".hidden"),
        (resource_name, "-flag"),
        (column_name, "1st"),
        (column_name, "a b"),
        (identifier, "plane-age"),
        (identifier, "a.b"),
        (request_id, "two words"),
        (request_id, "é"),
        *[(check, bad) for check in CHECKS for bad in ("", "a\n", "\n", "a" * 129, "a\0", "é" * 3, "a b", "\u0430")],
    ],
)
def test_a_bad_name_is_refused_by_its_field_and_shown_briefly(check: Check, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check("model.name", value)
    assert [one.field for one in caught.value.violations] == ["model.name"]
    assert len(caught.value.message) < 250
    assert "\n" not in caught.value.message


@given(st.text())
def test_a_resource_s_name_never_leaves_its_folder(text: str) -> None:
    try:
        resource_name("name", text)
    except InvalidInput:
        return
    assert "/" not in text
    assert "\\" not in text
    assert not text.startswith((".", "-", "~"))
    assert text.isascii()
