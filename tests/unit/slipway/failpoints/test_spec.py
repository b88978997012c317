"""The spec that arms failpoints: what it takes, what it refuses, and what is left after an entry has acted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import InvalidInput
from slipway.failpoints import NAMES, Action, Entry, parse
from slipway.failpoints.spec import render

COUNTS = st.integers(1, 999_999_999)
ENDING = st.sampled_from([Action.KILL, Action.STOP])


@st.composite
def entries_of(draw: st.DrawFn, name: str) -> Entry:
    action = draw(st.sampled_from(list(Action)))
    once = action in {Action.KILL, Action.STOP}
    return Entry(
        name=name,
        action=action,
        nth=draw(COUNTS),
        times=draw(COUNTS) if once else draw(st.none() | COUNTS),
        delay_s=draw(st.integers(0, 3_600_000_000)) / 1e6 if action is Action.DELAY else 0.0,
        internal=action is Action.ERROR and draw(st.booleans()),
    )


SPECS = st.lists(st.sampled_from(NAMES), unique=True).flatmap(
    lambda names: st.tuples(*[entries_of(name) for name in names])
)


@given(SPECS)
def test_what_is_written_is_read_again(entries: tuple[Entry, ...]) -> None:
    assert parse(render(entries), "spec") == entries
    assert parse("; ".join(str(one) for one in entries), "spec") == entries


@given(SPECS, st.data())
def test_space_and_comments_change_nothing(entries: tuple[Entry, ...], data: st.DataObject) -> None:
    blank = st.sampled_from(["", " ", "\t", "\n", " # kill=\n", ";", " ; "])
    text = data.draw(blank)
    for one in entries:
        name, _, rest = str(one).partition("=")
        text += f"{name} = {rest}" + data.draw(blank) + "\n" + data.draw(blank)
    assert parse(text, "spec") == entries


@given(st.text())
def test_whatever_is_typed_is_read_or_refused_by_name(text: str) -> None:
    try:
        told = [one.name for one in parse(text, "SLIPWAY_FAILPOINTS")]
    except InvalidInput as error:
        told = [one.field for one in error.violations]
    assert set(told) <= {*NAMES, "SLIPWAY_FAILPOINTS"}


@given(entries_of(NAMES[0]))
def test_an_entry_without_a_bound_stays_and_is_due_each_time(entry: Entry) -> None:
    if entry.times is None:
        assert entry.fired() == replace(entry, nth=1)


@given(st.integers(1, 50), COUNTS)
def test_a_bounded_entry_acts_so_often_and_is_gone(times: int, nth: int) -> None:
    left: Entry | None = Entry(NAMES[0], Action.ERROR, nth, times)
    acted = 0
    while left is not None:
        acted += 1
        left = left.fired()
        assert left is None or left.nth == 1
    assert acted == times


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sql.comit.after=kill", "(did you mean sql.commit.after?); the failpoints are sql.commit.before, "),
        ("kill", "write name=action@N*M, such as sql.commit.after=kill@3"),
        ("sql.commit.after=kill@3@4", "can't read"),
        ("sql.commit.after=die", "'die' is no action; use one of kill, stop, error, disk-full, delay"),
        ("sql.commit.after=kill@0", "count from 1"),
        ("sql.commit.after=error*0", "count from 1"),
        ("sql.commit.after=delay", "such as delay(250ms) or delay(2s)"),
        ("sql.commit.after=delay(250)", "such as delay(250ms) or delay(2s)"),
        ("sql.commit.after=delay(2h)", "such as delay(250ms) or delay(2s)"),
        ("sql.commit.after=delay(3601s)", "a time up to an hour"),
        ("sql.commit.after=error(io)", "error takes (internal) or nothing"),
        ("sql.commit.after=kill(1)", "kill takes none"),
        ("sql.commit.after=kill; sql.commit.after=stop", "arms sql.commit.after twice"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_mend(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(text, "SLIPWAY_FAILPOINTS")
    assert refused.value.message.startswith("SLIPWAY_FAILPOINTS: ")
    assert says in refused.value.message


def test_an_unknown_name_is_told_all_known_ones() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse("outbox.publish=kill", "spec")
    assert all(name in refused.value.message for name in NAMES)
