from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from slipway.errors import InvalidInput
from slipway.events import Event, EventTooLarge, dead_letter_topic, require_within

MakeEvent = Callable[..., Event]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("id", ""),
        ("type", ""),
        ("source", ""),
        ("topic", ""),
        ("topic", "no spaces"),
        ("topic", "../../etc"),
        ("topic", "x" * 250),
        ("topic", "newline\n"),
        ("time", datetime(2013, 1, 1)),
    ],
)
def test_an_attribute_that_cannot_be_used_is_named(make_event: MakeEvent, attribute: str, value: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        make_event(**{attribute: value})
    assert caught.value.violations[0].field == f"event.{attribute}"


def test_size_counts_what_a_log_has_to_keep(make_event: MakeEvent) -> None:
    assert make_event(key="ké", value=b"12345", headers={"ab": "ü"}).size_bytes == 3 + 5 + 4


def test_the_limit_itself_is_within(make_event: MakeEvent) -> None:
    event = make_event(value=bytes(9))
    require_within([event], 10)
    with pytest.raises(EventTooLarge) as caught:
        require_within([event], 9)
    assert caught.value.facts == {"event_id": "1", "size_bytes": "10", "limit_bytes": "9"}


def test_dead_letters_are_kept_by_topic_and_group() -> None:
    assert dead_letter_topic("training.run.v1", "monitor") == "training.run.v1.monitor.dlq"
