from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from examples.flights.questions import Questions
from examples.flights.replay import TICK
from examples.flights.streams import Stream
from examples.flights.warehouse import flights_timed, weather
from slipway.client import Feature, FeatureView, Source, ValueType
from slipway.gen.slipway.features.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as labels_pb2

START, END = datetime(2013, 4, 1, tzinfo=UTC), datetime(2013, 4, 8, tzinfo=UTC)
VIEW = FeatureView(
    "origin_weather",
    "somebody",
    ("origin",),
    (Feature("temp", ValueType.DOUBLE), Feature("wind_gust", ValueType.DOUBLE)),
    entity_types=(ValueType.STRING,),
    source=Source("weather", "weather.parquet", "known_at"),
)


@pytest.fixture(scope="module")
def questions() -> Questions:
    return Questions(flights_timed(), ["carrier", "departure_minute"], start=START, end=END, every=7)


def test_a_stream_tells_each_row_once_and_none_before_it_is_known() -> None:
    table = weather()
    stream = Stream(VIEW, table)
    told: list[tuple[str, int]] = []
    after: datetime | None = None
    for now in (START, START + TICK, START + 3 * TICK, END):
        for event in stream.events(after, now):
            rows = events_pb2.FeatureRows.FromString(event.value)
            assert all(time <= now.timestamp() * 1e6 for time in rows.event_times_us)
            told += zip(rows.entities[0].strings.values if rows.entities else [], rows.event_times_us, strict=True)
        assert rows.complete_until_us == now.timestamp() * 1e6
        after = now
    assert Counter(told).most_common(1)[0][1] == 1
    assert len(told) == (table["known_at"] <= pd.Timestamp(END)).sum()


def test_a_stretch_without_rows_still_moves_time() -> None:
    moment = START + timedelta(minutes=10)
    [event] = Stream(VIEW, weather()).events(moment, moment + timedelta(minutes=1))
    rows = events_pb2.FeatureRows.FromString(event.value)
    assert not rows.entities
    assert rows.complete_until_us == (moment + timedelta(minutes=1)).timestamp() * 1e6


def test_missing_values_are_told_as_missing() -> None:
    [event] = Stream(VIEW, weather()).events(START, START + TICK)
    temperature, gust = events_pb2.FeatureRows.FromString(event.value).features
    assert not temperature.absent_rows
    assert gust.absent_rows


def test_every_question_is_due_once_and_in_its_hour(questions: Questions) -> None:
    seen: list[str] = []
    now = START
    while now < END:
        due = questions.due(now, now + TICK)
        assert all(now <= one < now + TICK for one in due.event_times)
        assert {len(values) for values in (*due.entities.values(), *due.features.values())} <= {len(due.ids)}
        first = questions.next_due(now)
        assert (first is not None and first < now + TICK) == bool(due.ids)
        seen += due.ids
        now += TICK
    assert len(seen) == len(set(seen)) == len(questions)


def test_labels_follow_when_they_are_known_and_only_for_flights_that_arrived(questions: Questions) -> None:
    early = questions.labels("flight-delay", START, START + timedelta(days=3))
    late = questions.labels("flight-delay", START + timedelta(days=3), questions.last_label_time)
    batches = [labels_pb2.LabelBatch.FromString(event.value) for event in (*early, *late)]
    told = [one for batch in batches for one in batch.prediction_ids]
    assert len(told) == len(set(told)) == questions.labelled < len(questions)
    assert all(time <= (START + timedelta(days=3)).timestamp() * 1e6 for time in batches[0].label_times_us)
    assert {value for batch in batches for value in batch.values} == {0.0, 1.0}
    assert questions.known_by(questions.last_label_time) == questions.last_label_time
    assert questions.asked_by(START) is None
