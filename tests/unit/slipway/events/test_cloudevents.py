from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.errors import InvalidInput
from slipway.events import Event
from slipway.events.cloudevents import from_headers, to_headers

MakeEvent = Callable[..., Event]

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
events = st.builds(
    Event,
    id=names,
    topic=st.just("test.things.v1"),
    key=st.text(st.characters(codec="utf-8"), max_size=20),
    type=names,
    source=names,
    time=st.datetimes(timezones=st.just(UTC)),
    value=st.binary(max_size=50),
    headers=st.dictionaries(names.filter(lambda n: not n.startswith("ce_") and n != "content-type"), names, max_size=3),
)


@given(events)
def test_a_broker_gives_back_the_event_it_took(event: Event) -> None:
    assert from_headers(event.topic, event.key.encode(), event.value, to_headers(event)) == event


def test_the_headers_are_cloudevents_in_binary_mode(make_event: MakeEvent) -> None:
    headers = dict(to_headers(make_event(headers={"traceparent": "00-1-2-03"})))
    assert headers == {
        "content-type": b"application/protobuf",
        "traceparent": b"00-1-2-03",
        "ce_specversion": b"1.0",
        "ce_id": b"1",
        "ce_type": b"test.happened.v1",
        "ce_source": b"/test",
        "ce_time": b"2013-01-01T05:15:00+00:00",
    }


def test_a_foreign_publisher_may_say_z_and_add_headers(make_event: MakeEvent) -> None:
    headers: list[tuple[str, bytes | None]] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"7"),
        ("ce_type", b"t"),
        ("ce_source", b"/elsewhere"),
        ("ce_time", b"2013-01-01T05:15:00Z"),
        ("content-type", b"application/json"),
        ("empty", None),
    ]
    event = from_headers("t.v1", None, None, headers)
    assert event.time == datetime(2013, 1, 1, 5, 15, tzinfo=UTC)
    assert (event.key, event.value, event.headers) == ("", b"", {"content-type": "application/json"})


@pytest.mark.parametrize(
    ("header", "raw"),
    [
        ("ce_id", None),
        ("ce_type", b""),
        ("ce_source", None),
        ("ce_time", None),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2013-01-01T05:15:00"),
        ("ce_id", b"\xff"),
    ],
)
def test_a_header_that_cannot_be_read_is_named(make_event: MakeEvent, header: str, raw: bytes | None) -> None:
    headers = [(name, raw if name == header else value) for name, value in to_headers(make_event())]
    with pytest.raises(InvalidInput) as caught:
        from_headers("t.v1", b"k", b"v", headers)
    assert caught.value.violations[0].field == header
