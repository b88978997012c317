from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.monitor.adapters.sql import SqlWindows
from services.monitor.api.consumer import LABELS, PREDICTIONS, TOPICS, Intake
from services.monitor.domain.harm import Limits
from services.monitor.domain.label import LabelTally
from services.monitor.domain.window import Span
from services.monitor.engine.baselines import Baselines
from services.monitor.engine.counting import Counting
from services.monitor.engine.joining import Joining
from services.monitor.engine.judging import Judging
from services.monitor.engine.taking import Taking
from slipway.clock import ManualClock
from slipway.events import Consumer, Event, EventLog, dead_letter_topic
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as label_events_pb2
from slipway.sql import Database, DatabaseUnreachable

CLOCK = ManualClock()


def taking_of(window_s: int) -> Taking:
    baselines = Baselines()
    judging = Judging(baselines, Limits(), window_s=window_s, maturity_s=0)
    return Taking(Joining(window_s), baselines, judging, window_s)


def batch(prediction_id: str, version: int = 3, **changes: Any) -> events_pb2.PredictionBatch:
    return events_pb2.PredictionBatch(
        endpoint="flight-delay",
        model="flights",
        version=version,
        route="main",
        prediction_ids=[prediction_id],
        event_times_us=[0],
        input_digests=[b""],
        **changes,
    )


def event(event_id: str, value: bytes | None = None) -> Event:
    value = batch(event_id).SerializeToString() if value is None else value
    return Event(
        event_id, PREDICTIONS, "flight-delay", "t", "/gateway", CLOCK.now(), value, {"traceparent": "00-ab-cd-01"}
    )


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EventLog]:
    async with open_log(f"sqlite:///{tmp_path / 'log.db'}") as log:
        yield log


@asynccontextmanager
async def reading(log: EventLog, windows: SqlWindows, meters: Any) -> AsyncIterator[tuple[Consumer, Intake]]:
    counting = Counting(windows, taking_of(86_400), CLOCK, meters, 3600)
    async with log.consumer(TOPICS, "monitor") as consumer:
        yield consumer, Intake(consumer, counting, meters, CLOCK)


async def total(windows: SqlWindows) -> int:
    async with windows.read() as reader:
        return sum(one.predictions for one in await reader.counts(Span("flight-delay")))


async def test_an_unsound_event_is_set_aside_with_the_reason_and_the_rest_counts(
    log: EventLog, windows: SqlWindows, meters: Any
) -> None:
    await log.publisher().publish([event("e1"), event("junk", b"\xff\xff"), event("empty", b""), event("e2")])
    async with reading(log, windows, meters) as (consumer, intake):
        records = await consumer.poll(10, 5)
        await intake.handle(records)
        await intake.handle(records)
    assert await total(windows) == 2
    letters = await log.read(dead_letter_topic(PREDICTIONS, "monitor"))
    told = {letter.event.id: letter.event.headers["dlq-error"] for letter in letters}
    assert "2 bytes are not a slipway.inference.v1.PredictionBatch" in told["junk"]
    assert "endpoint: is empty" in told["empty"]
    assert [letter.event.value for letter in letters] == [b"\xff\xff", b""]
    assert letters[0].event.headers["traceparent"] == "00-ab-cd-01"


async def test_while_the_database_fails_nothing_is_set_aside_for_it(
    log: EventLog, windows: SqlWindows, database: Database, meters: Any
) -> None:
    class Failing(SqlWindows):
        def write(self) -> Any:
            raise DatabaseUnreachable("the database does not answer")

    await log.publisher().publish([event("e1"), event("junk", b"\xff\xff")])
    async with reading(log, Failing(database), meters) as (consumer, intake):
        records = await consumer.poll(10, 5)
        with pytest.raises(DatabaseUnreachable):
            await intake.handle(records)
    assert await log.read(dead_letter_topic(PREDICTIONS, "monitor")) == []
    assert (meters.predictions, meters.dead_letters) == (0, 0)


async def test_an_event_of_labels_may_have_the_id_of_one_of_predictions(
    log: EventLog, windows: SqlWindows, meters: Any
) -> None:
    value = label_events_pb2.LabelBatch(
        endpoint="flight-delay", prediction_ids=["e1"], values=[1], label_times_us=[7]
    ).SerializeToString()
    labels = Event("e1", LABELS, "flight-delay", "t", "/tower", CLOCK.now(), value)
    await log.publisher().publish([event("e1"), labels])
    async with reading(log, windows, meters) as (consumer, intake):
        records = await consumer.poll(10, 5)
        assert len(records) == 2
        for record in records:
            await intake.handle([record])
    assert await total(windows) == 1
    assert meters.labels == LabelTally(recorded=1, joined=1)


def three(event_id: str, *, last_version: int) -> Event:
    """An event of three batches, each of another version."""
    more = [batch(f"{event_id}-b", 4), batch(f"{event_id}-c", last_version)]
    return event(event_id, batch(f"{event_id}-a", more=more).SerializeToString())


async def test_all_batches_of_an_event_count_once_or_none_where_one_is_unsound(
    log: EventLog, windows: SqlWindows, meters: Any
) -> None:
    await log.publisher().publish([three("sound", last_version=5), three("bad", last_version=0), event("e1")])
    async with reading(log, windows, meters) as (consumer, intake):
        records = await consumer.poll(10, 5)
        await intake.handle(records)
        assert (await total(windows), meters.dead_letters) == (4, 1)
        await intake.handle(records)
    assert await total(windows) == meters.predictions == 4
    [letter] = await log.read(dead_letter_topic(PREDICTIONS, "monitor"))
    assert (letter.event.id, letter.event.value) == ("bad", three("bad", last_version=0).value)
    assert letter.event.headers["dlq-error"].startswith("more[1]: version: is 0")


async def test_an_event_whose_batches_commit_one_by_one_counts_once_after_a_crash_between_them(
    log: EventLog, windows: SqlWindows, database: Database, meters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(SqlWindows):
        commits = 0

        def write(self) -> Any:
            self.commits += 1
            if self.commits == 3:
                raise DatabaseUnreachable("the database does not answer")
            return super().write()

    monkeypatch.setattr("services.monitor.engine.counting._PORTION_ROWS", 1)
    await log.publisher().publish([three("e", last_version=5)])
    async with reading(log, Failing(database), meters) as (consumer, intake):
        records = await consumer.poll(10, 5)
        with pytest.raises(DatabaseUnreachable):
            await intake.handle(records)
        assert await total(windows) == 2
        await intake.handle(records)
    assert await total(windows) == meters.predictions == 3
