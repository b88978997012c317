from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.client import FeatureService, FeatureStatus, OnlineColumn
from slipway.errors import Kind, SlipwayError

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)
PRESENT, NULL, MISSING, OLD = (
    FeatureStatus.PRESENT,
    FeatureStatus.NULL_VALUE,
    FeatureStatus.NOT_FOUND,
    FeatureStatus.OUTSIDE_MAX_AGE,
)
EVERY: dict[str, Any] = {
    "seats": 149,
    "delay": 7.1,
    "maker": "Škoda",
    "active": True,
    "built": datetime(1999, 1, 1, tzinfo=UTC),
    "age_years": 13.5,
}


async def seats(served: Any, *tailnums: str | None, at: datetime = NOON) -> OnlineColumn:
    rows = [{"tailnum": one} for one in tailnums]
    column: OnlineColumn = (await served.client.features.get_online(["planes:seats"], rows, event_times=at))[
        "planes:seats"
    ]
    return column


async def push(served: Any, tailnum: str, at: datetime = NOON, **features: Any) -> tuple[int, int]:
    done = await served.client.features.push("planes", [{"tailnum": tailnum}], [features], at)
    return done.applied, done.late


async def test_what_is_pushed_is_read_with_its_event_time(online: Any) -> None:
    nothing = dict.fromkeys(EVERY)
    done = await online.client.features.push(
        "planes", [{"tailnum": "N1"}, {"tailnum": "N2"}], [EVERY, nothing], [NOON - MINUTE, NOON - 2 * MINUTE]
    )
    assert (done.applied, done.late) == (2, 0)
    asked = [f"planes:{name}" for name in EVERY]
    found = await online.client.features.get_online(
        asked, [{"tailnum": "N2"}, {"tailnum": "N1"}, {"tailnum": "N3"}, {"tailnum": "N1"}], event_times=NOON
    )
    assert list(found.columns) == asked
    full = {f"planes:{name}": value for name, value in EVERY.items()}
    assert list(found.rows()) == [dict.fromkeys(asked), full, dict.fromkeys(asked), full]
    for column in found.columns.values():
        assert column.statuses == (NULL, PRESENT, MISSING, PRESENT)
        assert column.event_times == (NOON - 2 * MINUTE, NOON - MINUTE, None, NOON - MINUTE)


async def test_a_feature_service_reads_views_of_several_entities_at_once(online: Any) -> None:
    await push(online, "N1", seats=149, delay=1.5)
    await online.client.features.push("routes", [{"origin": "JFK", "number": 725}], [{"delay": 3}], NOON)
    rows: list[dict[str, Any]] = [
        {"number": 725, "origin": "JFK", "tailnum": "N1"},
        {"number": 725, "origin": "JFK", "tailnum": None},
        {"number": 1, "origin": "JFK", "tailnum": "N1"},
    ]
    found = await online.client.features.get_online("late", rows, event_times=NOON)
    assert [list(row.values()) for row in found.rows()] == [[3.0, 149, 1.5], [3.0, None, None], [None, 149, 1.5]]
    assert found["planes:seats"].statuses == (PRESENT, MISSING, PRESENT)


async def test_ages_are_measured_from_the_moment_asked_about(online: Any) -> None:
    await push(online, "N1", NOON, seats=149)
    rows, hour = [{"tailnum": "N1"}] * 3, timedelta(hours=1)
    moments = [NOON + hour, NOON + hour + MICROSECOND, NOON - hour]
    column = (await online.client.features.get_online(["planes:seats"], rows, event_times=moments))["planes:seats"]
    assert column.statuses == (PRESENT, OLD, PRESENT)
    assert column.values == (149, None, 149)
    assert column.event_times == (NOON, NOON, NOON)
    now = (await online.client.features.get_online(["planes:seats"], rows[:1]))["planes:seats"]
    assert now.statuses == (OLD,)


async def test_an_older_row_never_wins_and_one_of_the_same_moment_corrects(online: Any) -> None:
    assert await push(online, "N1", NOON, seats=1) == (1, 0)
    assert await push(online, "N1", NOON - MICROSECOND, seats=2) == (0, 1)
    assert (await seats(online, "N1")).values == (1,)
    assert await push(online, "N1", NOON, seats=3) == (1, 0)
    assert (await seats(online, "N1")).values == (3,)
    assert await push(online, "N1", NOON + MICROSECOND, seats=4) == (1, 0)
    assert (await seats(online, "N1")).event_times == (NOON + MICROSECOND,)


async def test_within_one_call_the_newest_row_of_an_entity_wins_and_the_later_of_equal_ones(online: Any) -> None:
    rows, values = [{"tailnum": "N1"}] * 4, [{"seats": n} for n in range(4)]
    times = [NOON, NOON + MINUTE, NOON + MINUTE, NOON]
    done = await online.client.features.push("planes", rows, values, times)
    assert (done.applied, done.late) == (1, 3)
    assert (await seats(online, "N1")).values == (2,)


async def test_a_feature_that_a_row_leaves_out_is_not_found_after_it(online: Any) -> None:
    await push(online, "N1", NOON, seats=149, delay=1.0)
    await push(online, "N1", NOON + MINUTE, delay=2.0)
    assert (await seats(online, "N1")).statuses == (MISSING,)


async def test_writers_at_the_same_time_leave_the_newest_row_whole(online: Any) -> None:
    moments = [NOON + n * MICROSECOND for n in range(40)]
    await asyncio.gather(
        *(push(online, "N1", moment, seats=n, delay=float(n)) for n, moment in enumerate(moments)),
    )
    found = await online.client.features.get_online(
        ["planes:seats", "planes:delay"], [{"tailnum": "N1"}], event_times=NOON
    )
    assert list(found.rows()) == [{"planes:seats": 39, "planes:delay": 39.0}]


async def test_a_flushed_store_answers_not_found_until_it_has_the_value_again(online: Any, redis: Any) -> None:
    await push(online, "N1", seats=149)
    before = await seats(online, "N1")
    redis.send("FLUSHALL")
    while (column := await seats(online, "N1")) != before:
        assert (column.statuses, column.values, column.event_times) == ((MISSING,), (None,), (None,))


async def test_without_the_store_reads_and_pushes_are_unavailable_and_then_go_on(online: Any, redis: Any) -> None:
    await push(online, "N1", seats=149)
    redis.stop()
    for call in (seats(online, "N1"), push(online, "N1", seats=1)):
        with pytest.raises(SlipwayError) as raised:
            await call
        assert (raised.value.kind, raised.value.reason) == (Kind.UNAVAILABLE, "ONLINE_STORE_UNAVAILABLE")
    assert [one.name async for one in online.client.features.services()] == ["late"]
    redis.start()
    assert (await seats(online, "N1")).values in {(None,), (149,)}
    assert await push(online, "N1", seats=149) == (1, 0)
    assert (await seats(online, "N1")).values == (149,)


async def test_anothers_data_is_told_and_never_answered(online: Any, redis: Any) -> None:
    await push(online, "N1", seats=149)
    key = redis.command("KEYS", "*N1*")[0]
    for name, value in redis.hash(key).items():
        if value[:1] == b"\x18":
            redis.command("HSET", key, name, b"\x20\x01")
    column = await seats(online, "N1")
    assert (column.statuses, column.values) == ((FeatureStatus.UNREADABLE,), (None,))
    redis.command("SET", key, "mine")
    for call in (seats(online, "N1"), push(online, "N1", seats=1)):
        with pytest.raises(SlipwayError, match="another program writes to the same Redis") as raised:
            await call
        assert raised.value.kind is Kind.DATA_LOSS


async def test_feature_services_are_applied_found_and_listed(online: Any) -> None:
    late = await online.client.features.get_service("late")
    assert (late.revision, late.features) == (1, ("routes:delay", "planes:seats", "planes:delay"))
    other = FeatureService("alone", "fleet", ("planes:seats",), "One.")
    stored = await online.client.features.apply_services([other, late])
    assert [(one.name, one.revision) for one in stored] == [("alone", 1), ("late", 1)]
    (changed,) = await online.client.features.apply_services([FeatureService("alone", "dock", ("planes:delay",))])
    assert (changed.revision, changed.owner) == (2, "dock")
    assert [one.name async for one in online.client.features.services()] == ["alone", "late"]


async def test_a_changed_feature_service_counts_at_the_next_read(online: Any) -> None:
    row = [{"origin": "JFK", "number": 1, "tailnum": "N1"}]
    assert len((await online.client.features.get_online("late", row)).columns) == 3
    await online.client.features.apply_services([FeatureService("late", "fleet", ("planes:maker",))])
    found = await online.client.features.get_online("late", [{"tailnum": "N1"}])
    assert list(found.columns) == ["planes:maker"]


async def test_a_feature_that_a_feature_service_names_stays(online: Any) -> None:
    planes = await online.client.features.get_view("planes")
    kept = [one for one in planes.features if one.name != "seats"]
    changed = type(planes)(planes.name, planes.owner, planes.entities, tuple(kept))
    with pytest.raises(SlipwayError, match="'seats' of view 'planes' is read by feature service 'late'") as raised:
        await online.client.features.apply([changed])
    assert (raised.value.kind, raised.value.reason) == (Kind.FAILED_PRECONDITION, "FEATURE_IN_USE")
    assert await online.client.features.get_view("planes") == planes


async def test_the_operator_pushes_reads_and_sees_how_far_views_are(online: Any, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(
        '{"tailnum": "N1", "seats": 149, "built": "1999-01-01T00:00:00Z", "event_time": "2013-06-01T12:00:00Z"}\n\n'
        '{"tailnum": "N1", "seats": 150, "event_time": "2013-06-01T11:00:00Z"}\n'
    )
    assert (await online.run("watermarks")).output.startswith("no view got a row yet")
    pushed = await online.run("push", "planes", str(file), "--json")
    assert json.loads(pushed.output) == {"applied": 1, "late": 1}
    at = ("--at", "2013-06-01T12:00:00Z", "--json")
    found = json.loads((await online.run("get", "planes:seats", "planes:built", "--key", "tailnum=N1", *at)).output)
    assert [(one["value"], one["status"]) for one in found] == [
        (149, "present"),
        ("1999-01-01T00:00:00+00:00", "present"),
    ]
    keys = ("--key", "tailnum=N1", "--key", "origin=JFK", "--key", "number:=7")
    found = json.loads((await online.run("get", "late", *keys, *at)).output)
    assert [one["status"] for one in found] == ["not_found", "present", "null_value"]
    (mark,) = json.loads((await online.run("watermarks", "--json")).output)
    assert (mark["view"], mark["event_time"]) == ("planes", "2013-06-01T12:00:00+00:00")
    (service,) = json.loads((await online.run("services", "--json")).output)
    assert service["name"] == "late"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[]", "line 1: is no JSON object"),
        ('{"tailnum": "N1"}', "line 1: event_time: is missing"),
        ('{"tailnum": "N1", "seatz": 1, "event_time": "2013-06-01"}', "line 1: seatz: is not of view planes"),
        ('{"tailnum": "N1", "seats": "x", "event_time": "2013-06-01"}', "holds strings, but the feature is INT32"),
    ],
)
async def test_the_operator_is_told_the_line(online: Any, tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(line)
    refused = await online.run("push", "planes", str(file))
    assert refused.exit_code == 2
    assert told in refused.output


async def test_an_operators_key_that_is_none_is_told(online: Any) -> None:
    for key in ("tailnum", "number:=x"):
        assert (await online.run("get", "late", "--key", key)).exit_code == 2
    assert (await online.run("get", "missing", "--key", "tailnum=N1")).exit_code == 3
