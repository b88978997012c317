from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.inference_gateway.adapters.spooled_log import TOPIC, SpooledLog
from services.inference_gateway.domain.answer import Answer, Prediction
from services.inference_gateway.domain.batch import Batch, Protocol
from services.inference_gateway.domain.columns import Column, ValueKind
from services.inference_gateway.domain.errors import PredictionTooLarge
from slipway.errors import Exhausted
from slipway.events import Event
from slipway.gen.slipway.inference.v1 import events_pb2
from slipway.spool import Spool

NOW = datetime(2013, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
LIMIT = 256 * 1024


@contextmanager
def opened(folder: Path, event_limit_bytes: int = 1024 * 1024, limit_bytes: int = LIMIT) -> Iterator[SpooledLog]:
    with Spool.open(
        folder, segment_bytes=8 * 1024, limit_bytes=limit_bytes, retain_bytes=LIMIT, sync="interval"
    ) as spool:
        yield SpooledLog(spool, limit_bytes, event_limit_bytes)


def answer(name: str, rows: int = 2, keyed: bool = True, text: str = "", endpoint: str = "late") -> Answer:
    batch = Batch(
        endpoint=endpoint,
        rows=rows,
        ids=(),
        event_times_us=np.arange(rows) + 7,
        timed=True,
        entity_keys=(Column.of("flight", ValueKind.STRING, [f"UA{row}" for row in range(rows)], [0]),),
        features=(),
        protocol=Protocol.PREDICT,
        trace_id="ab" * 16,
    )
    return Answer(
        batch=batch,
        ids=tuple(f"{name}.{row}" for row in range(rows)),
        digests=tuple(f"{name}{row}".encode() for row in range(rows)) if keyed else (),
        model="m",
        version=3,
        route="main",
        features={
            "distance": np.array([np.nan, *range(1, rows)], dtype=np.float32),
            "carrier": np.array([text] * rows, dtype=object),
            "stops": np.arange(rows, dtype=np.int32),
            "late": np.arange(rows) % 2 == 0,
        },
        outputs={
            "p": np.arange(2.0 * rows).reshape(rows, 2),
            "label": np.array(["yes"] * rows, dtype=object),
            "sure": np.arange(rows) % 2 == 1,
            "count": np.arange(rows),
        },
    )


def parsed(events: list[Event] | Any) -> list[events_pb2.PredictionBatch]:
    found: list[events_pb2.PredictionBatch] = []
    for event in events:
        first = events_pb2.PredictionBatch.FromString(event.value)
        found += (first, *first.more)
    for one in found:
        del one.more[:]
    return found


def named(events: list[Event] | Any) -> list[str]:
    return [one.prediction_ids[0].partition(".")[0] for one in parsed(events)]


def remembered(log: SpooledLog) -> list[tuple[Prediction, bytes]]:
    return [(one.prediction, one.digest) for one in log.replay()]


def test_an_event_says_everything_about_its_rows(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([answer("a")], NOW)
        [event] = log.unshipped()
    assert (event.topic, event.key, event.time, event.source) == (TOPIC, "late", NOW, event.id.partition("/")[0])
    [message] = parsed([event])
    assert (message.endpoint, message.model, message.version, message.route) == ("late", "m", 3, "main")
    assert (list(message.prediction_ids), list(message.input_digests)) == (["a.0", "a.1"], [b"a0", b"a1"])
    assert (list(message.event_times_us), message.answer_time.ToDatetime(UTC)) == ([7, 8], NOW)
    assert (message.trace_id, message.gateway_id) == ("ab" * 16, event.source)
    assert [(one.name, list(one.absent_rows)) for one in message.entity_keys] == [("flight", [0])]
    features = {one.name: one for one in message.features}
    assert list(features["distance"].absent_rows) == [0]
    assert features["distance"].doubles.values[1] == 1
    assert list(features["stops"].int64s.values) == [0, 1]
    assert list(features["late"].bools.values) == [True, False]
    outputs = {one.name: (one.width, list(one.values) or list(one.texts)) for one in message.outputs}
    assert outputs == {"p": (2, [0, 1, 2, 3]), "label": (1, ["yes", "yes"]), "sure": (1, [0, 1]), "count": (1, [0, 1])}


def test_replay_is_what_was_answered(tmp_path: Path) -> None:
    answers = [answer("a"), answer("b", 3)]
    with opened(tmp_path) as log:
        log.append(answers, NOW)
    with opened(tmp_path) as log:
        back = remembered(log)
    assert [digest for _, digest in back] == [digest for one in answers for digest in one.digests]
    assert [one for one, _ in back] == [one for each in answers for one in each.predictions]


def test_rows_without_an_id_of_the_caller_s_have_an_empty_digest_and_are_not_remembered(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([answer("a", keyed=False), answer("b")], NOW)
        assert [one.prediction_id for one, _ in remembered(log)] == ["b.0", "b.1"]
        assert list(parsed(log.unshipped())[0].input_digests) == [b"", b""]


def test_an_event_keeps_its_id_over_restarts_until_it_is_shipped(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([answer("a"), answer("b", text="x" * 9000)], NOW)
        seen = [*log.unshipped()]
    with opened(tmp_path) as log:
        log.append([answer("c")], NOW)
        events = [*log.unshipped()]
        assert events[:2] == seen
        assert len({event.id for event in events}) == 3
        log.shipped(events[:2])
        assert [event.id for event in log.unshipped()] == [events[2].id]
        log.sync()
    with opened(tmp_path) as log:
        assert [*log.unshipped()] == events[2:]


def test_what_waits_is_read_as_it_is_taken_while_more_is_appended(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([answer("a", text="x" * 9000), answer("b")], NOW)
        reading = log.unshipped()
        taken = [next(reading)]
        log.append([answer("c")], NOW)
        log.sync()
        taken += reading
        log.shipped(taken)
        assert (named(taken), named(log.unshipped())) == (["a", "b"], ["c"])
    with opened(tmp_path) as log:  # nothing is at hand: what is appended while it is read back is left out, too
        reading = log.unshipped()
        first = next(reading)
        log.append([answer("d")], NOW)
        assert named([first, *reading]) == ["a", "b", "c"]


def test_small_batches_that_wait_go_together_by_their_endpoint(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        for name in "abcde":
            log.append([answer(name, endpoint="other" if name in "be" else "late")], NOW)
        late, other = events = [*log.unshipped()]
        assert (named([late]), named([other])) == (["a", "c", "d"], ["b", "e"])
        assert (late.key, other.key) == ("late", "other")
        log.shipped([late])  # between whose batches there are others: nothing is done with yet
        assert log.backlog().pending_batches == 5
        assert [*log.unshipped()] == events
        log.shipped(events)
        assert (log.backlog().pending_batches, log.backlog().pending_bytes) == (0, 0)


def test_what_was_looked_at_stays_as_it_was_whatever_comes_after_it(tmp_path: Path) -> None:
    looked: list[list[Event]] = []
    with opened(tmp_path) as log:
        for name in "abcdef":
            log.append([answer(name), answer(name * 2)], NOW)
            looked.append([*log.unshipped()])  # and the bus does not take it
        assert [len(events) for events in looked] == [1, 2, 3, 4, 5, 6]
        assert all(looked[-1][: len(events)] == events for events in looked)
    with opened(tmp_path) as log:  # after a crash
        assert [*log.unshipped()] == looked[-1]


@pytest.mark.parametrize("aside", [False, True])
async def test_what_outlives_a_power_cut_goes_with_nothing_that_may_not(tmp_path: Path, aside: bool) -> None:
    with opened(tmp_path) as log:
        log.append([answer("a")], NOW)
        if aside:
            await log.sync_aside()
        else:
            log.sync()
        log.append([answer("b")], NOW)
        assert [named([event]) for event in log.unshipped()] == [["a"], ["b"]]


def test_frames_of_before_there_were_turns_go_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([answer("a"), answer("b")], NOW)
    with Spool.open(tmp_path, segment_bytes=8 * 1024, limit_bytes=LIMIT, retain_bytes=LIMIT, sync="interval") as spool:
        old = [bytes([data[0], data[1] & 0x3F]) + data[2:] for _, data in spool.frames(spool.acknowledged)]
        for one in old:
            spool.append([one])
    with opened(tmp_path) as log:
        log.append([answer("c"), answer("d")], NOW)
        assert [named([event]) for event in log.unshipped()] == [["a", "b"], ["a"], ["b"], ["c", "d"]]


def test_what_was_shipped_but_not_synced_comes_again_as_the_same_events(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([answer("a"), answer("b")], NOW)
        events = [*log.unshipped()]
        log.shipped(events)
        assert not [*log.unshipped()]
    with opened(tmp_path) as log:
        assert [*log.unshipped()] == events


def test_an_event_says_where_its_value_lies_and_it_does(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        for name in "abcd":  # a segment each, nearly
            log.append([answer(name, text="x" * 3000)], NOW)
        at_hand = [*log.unshipped()]
    with opened(tmp_path) as log:
        read_back = [*log.unshipped()]
    assert len({event.span.file for event in at_hand if event.span}) > 1
    for event in (*at_hand, *read_back):
        assert event.span is not None
        data = event.span.file.read_bytes()
        assert data[event.span.offset : event.span.offset + event.span.size] == event.value


def test_more_than_is_kept_at_hand_is_read_back_in_order(tmp_path: Path) -> None:
    room = 64 * 1024 * 1024
    with opened(tmp_path, limit_bytes=room) as log:
        for number in range(30):  # of a megabyte each
            log.append([answer(f"n{number}", rows=1, text="x" * 1_000_000)], NOW)
        seen: list[str] = []
        while events := [*itertools.islice(log.unshipped(), 7)]:
            seen += [one.prediction_ids[0] for one in parsed(events)]
            log.shipped(events)
            if len(seen) == 7:
                log.append([answer("late", rows=1)], NOW)
        assert seen == [*(f"n{number}.0" for number in range(30)), "late.0"]
        assert (log.backlog().pending_batches, log.backlog().pending_bytes) == (0, 0)


def test_a_draft_is_part_of_what_is_kept_and_says_the_same(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        plain, drafted = answer("a"), answer("a")
        drafted.draft = log.draft(replace(drafted, outputs={}), first=False)
        log.append([plain, drafted], NOW)
        one, other = parsed(log.unshipped())
    assert one == other


@pytest.mark.parametrize("others", [0, 1])
def test_a_large_draft_lies_in_the_spool_before_its_answer_and_is_kept_with_it_alone(
    tmp_path: Path, others: int
) -> None:
    with opened(tmp_path / "plain") as log:
        log.append([answer("a", text="x" * 20_000)], NOW)
        [expected] = parsed(log.unshipped())
        size = log.backlog().pending_bytes
    with opened(tmp_path / "log") as log:
        drafted = answer("a", text="x" * 20_000)
        drafted.draft = log.draft(replace(drafted, outputs={}), first=True)
        assert sum(one.stat().st_size for one in (tmp_path / "log").glob("*.frames")) > 20_000
        assert (log.backlog().pending_batches, [*log.unshipped()]) == (0, [])
        for _ in range(others):
            log.append([answer("b")], NOW)
        log.append([drafted], NOW)
        assert parsed(log.unshipped())[-1].SerializeToString() == expected.SerializeToString().replace(
            expected.gateway_id.encode(), log._gateway_id.encode()
        )
        assert others or log.backlog().pending_bytes == size
    with opened(tmp_path / "log") as log:
        assert named(log.unshipped()) == [*"b" * others, "a"]


def test_the_backlog_counts_what_the_bus_has_not(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        assert (log.backlog().pending_batches, log.backlog().pending_bytes) == (0, 0)
        for name in "abc":
            log.append([answer(name)], NOW)
        three = log.backlog()
        [event] = log.unshipped()
        for name in "de":
            log.append([answer(name)], NOW)
        log.shipped([event])
        two = log.backlog()
        assert (three.pending_batches, two.pending_batches) == (3, 2)
        assert two.pending_bytes * 3 == three.pending_bytes * 2
        log.sync()
    with opened(tmp_path) as log:
        assert log.backlog() == two
        log.shipped([*log.unshipped()])
        assert (log.backlog().pending_batches, log.backlog().pending_bytes) == (0, 0)


def filled(log: SpooledLog) -> int:
    """Append until the log refuses; how many it took."""
    for kept in itertools.count():
        try:
            log.append([answer(f"n{kept}", text="x" * 2000)], NOW)
        except Exhausted:
            return kept
    raise AssertionError


def test_a_full_spool_refuses_all_and_takes_more_when_the_bus_has_some(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        kept = filled(log)
        assert log.backlog().pending_batches == kept
        log.shipped([*log.unshipped()][: kept // 2])
        log.append([answer("after", text="x" * 2000)], NOW)
        assert len(remembered(log)) == 2 * (kept + 1)


def test_answers_that_no_empty_spool_would_hold_are_as_a_full_one(tmp_path: Path) -> None:
    with opened(tmp_path) as log, pytest.raises(Exhausted) as caught:
        log.append([answer("a", text="x" * LIMIT)], NOW)
    assert caught.value.reason == "LOG_FULL"


def test_a_batch_too_large_for_an_event_is_split_into_those_that_fit(tmp_path: Path) -> None:
    with opened(tmp_path, event_limit_bytes=10_000) as log:
        whole = answer("a", rows=64, text="x" * 1000)
        log.append([whole], NOW)
        events = [*log.unshipped()]
        assert max(event.size_bytes for event in events) <= 10_000
        assert [one for message in parsed(events) for one in message.prediction_ids] == list(whole.ids)
        assert [one for one, _ in remembered(log)] == list(whole.predictions)
        assert [one.width for message in parsed(events) for one in message.outputs if one.name == "p"] == [2] * len(
            events
        )


def test_a_row_too_large_for_any_event_is_refused_with_all_that_came_with_it(tmp_path: Path) -> None:
    with opened(tmp_path, event_limit_bytes=2000) as log:
        with pytest.raises(PredictionTooLarge) as caught:
            log.append([answer("a"), answer("b", rows=1, text="x" * 2000)], NOW)
        assert [one.field for one in caught.value.violations] == ["features"]
        assert caught.value.facts["prediction_id"] == "b.0"
        assert log.backlog().pending_batches == 0
