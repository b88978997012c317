from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway import paging
from slipway.errors import InvalidInput

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)


def field(size: int, token: str, shape: tuple[type, ...] = (str,)) -> str:
    with pytest.raises(InvalidInput) as caught:
        paging.parse(size, token, shape)
    (violation,) = caught.value.violations
    return violation.field


def token_of(key: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


@pytest.mark.parametrize(("asked", "size"), [(0, 50), (1, 1), (500, 500)])
def test_a_size_is_taken_or_the_default(asked: int, size: int) -> None:
    page = paging.parse(asked, "", (str,))
    assert (page.size, page.after, page.fetch) == (size, None, size + 1)


@pytest.mark.parametrize("size", [-1, 501, 10**9, -(2**31)])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    assert field(size, "") == "page_size"


@given(NAMES, st.integers(-(2**63), 2**63 - 1))
def test_a_token_holds_the_last_key(name: str, number: int) -> None:
    page = paging.parse(1, "", (str, int))
    cut = paging.cut([(name, number), ("z", 0)], page, lambda row: row)
    assert list(cut.rows) == [(name, number)]
    assert paging.parse(1, cut.next_token, (str, int)).after == (name, number)


def test_the_last_page_has_no_token() -> None:
    page = paging.parse(2, "", (str,))
    assert paging.cut(["a", "b"], page, lambda row: (row,)) == paging.Slice(["a", "b"], "")


@given(st.text())
def test_any_text_is_a_token_or_refused(text: str) -> None:
    try:
        page = paging.parse(1, text, (str,))
    except InvalidInput:
        return
    assert page.after is None or isinstance(page.after[0], str)


@pytest.mark.parametrize(
    "key",
    [None, 1, "a", {}, [], [1], ["a", "b"], [True], [None], [["a"]], ["\ud800"], ["a\0b"]],
)
def test_a_key_of_another_shape_is_refused(key: Any) -> None:
    assert field(1, token_of(key)) == "page_token"


@pytest.mark.parametrize("key", [[2**63], [-(2**63) - 1], [1.5], [True], ["1"]])
def test_a_number_that_no_database_holds_is_refused(key: Any) -> None:
    assert field(1, token_of(key), (int,)) == "page_token"


@pytest.mark.parametrize("data", ["[" * 2000, "1" * 3000, '["' + "x" * 5000 + '"]'])
def test_what_was_made_to_hurt_is_refused(data: str) -> None:
    assert field(1, base64.urlsafe_b64encode(data.encode()).decode()) == "page_token"
