"""Predict by entity keys: features from a real feature_serving with a real Redis."""

from __future__ import annotations

import asyncio
import math
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from services.feature_serving import main as features_main
from services.feature_serving.adapters.sql import MIGRATIONS
from services.feature_serving.config import FeatureServingConfig
from slipway import lifecycle, sql
from slipway.client import ColumnSpec, DataType, Feature, FeatureView, Signature, TensorSpec, ValueType
from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.supervisor.ports import free_port
from slipway.supervisor.redis import find_redis

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
HOUR = timedelta(hours=1)
PLANES = FeatureView(
    name="planes",
    owner="fleet",
    entities=("tailnum",),
    features=(
        Feature("year", ValueType.DOUBLE),
        Feature("maker", ValueType.STRING),
        Feature("stops", ValueType.INT64),
        Feature("old", ValueType.BOOL),
        Feature("built", ValueType.TIMESTAMP),
        Feature("seats", ValueType.FLOAT),
    ),
    max_age=6 * HOUR,
)
CARRIERS = FeatureView(
    name="carriers", owner="fleet", entities=("carrier",), features=(Feature("delay", ValueType.DOUBLE),)
)
PORTS = FeatureView(
    name="ports",
    owner="network",
    entities=("port",),
    features=(
        Feature("delay", ValueType.DOUBLE, fallback=7.5),
        Feature("coast", ValueType.STRING, fallback="unknown"),
    ),
    max_age=6 * HOUR,
)
FALLEN = {"distance": "ports:delay", "carrier": "ports:coast"}
PORT = ColumnSpec("port", DataType.BYTES)
READ = {"distance": "carriers:delay", "year": "planes:year", "carrier": "planes:maker"}
TAILNUM, CARRIER = ColumnSpec("tailnum", DataType.BYTES), ColumnSpec("carrier", DataType.BYTES)
EVERY = {
    "year": 1999.5,
    "maker": "Boeing",
    "stops": 3,
    "old": True,
    "built": datetime(1999, 1, 1, tzinfo=UTC),
    "seats": 149.5,
}


class Shelf:
    """Feature serving, which may be stopped and started again."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        self._running = AsyncExitStack()
        self._redis_port = free_port()
        command = [find_redis(), "--bind", "127.0.0.1", "--port", str(self._redis_port), "--dir", str(folder)]
        self._redis = subprocess.Popen([*command, "--save", ""], stdout=subprocess.PIPE)
        assert self._redis.stdout is not None
        assert any(b"eady to accept connections" in line for line in self._redis.stdout)

    async def start(self) -> None:
        config = FeatureServingConfig(
            rpc={"listen": self._address, "grace_s": 1.0},
            data=self._folder / "features",
            database_url="",
            redis_url=f"redis://127.0.0.1:{self._redis_port}/0",
        )
        await asyncio.to_thread(sql.migrate, config.database, MIGRATIONS)
        parts = await self._running.enter_async_context(features_main.compose(config))
        await self._running.enter_async_context(lifecycle.running(*parts))

    async def stop(self) -> None:
        await self._running.aclose()

    def close(self) -> None:
        self._redis.kill()
        self._redis.communicate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fed(
    tmp_path_factory: pytest.TempPathFactory, onnx_models: ModuleType, worlds: Any
) -> AsyncIterator[tuple[Any, Shelf]]:
    """A gateway beside a feature store that knows two planes and a carrier."""
    folder = tmp_path_factory.mktemp("fed")
    async with worlds(folder, onnx_models) as world:
        shelf = Shelf(folder, world.features_address)
        try:
            await shelf.start()
            store = world.client.features
            await store.apply([PLANES, CARRIERS, PORTS])
            await store.push("planes", [{"tailnum": "N1"}], [EVERY], NOON - HOUR)
            await store.push("planes", [{"tailnum": "N0"}], [dict.fromkeys(EVERY)], NOON - HOUR)
            await store.push("carriers", [{"carrier": "UA"}], [{"delay": 7.5}], NOON - 2 * HOUR)
            await store.push("ports", [{"port": "JFK"}], [{"delay": 1.5, "coast": "east"}], NOON - HOUR)
            version = await world.register(100.0, takes=world.signature(READ, TAILNUM, CARRIER))
            await world.route("late", ("main", version, 1))
            await world.ready("late", version)
            yield world, shelf
        finally:
            with suppress(RuntimeError):
                await shelf.stop()
            shelf.close()


def key(tailnum: str | None = "N1", carrier: str | None = "UA") -> Mapping[str, str | None]:
    return {"tailnum": tailnum, "carrier": carrier}


async def ask(world: Any, *keys: Mapping[str, Any], **more: Any) -> list[Any]:
    given = {"event_times": NOON, **more}
    rows = given.pop("rows", [{"stops": 1}] * len(keys))
    return await world.client.inference.predict(given.pop("endpoint", "late"), rows, entity_keys=keys, **given)


async def test_what_the_caller_left_out_is_read_by_its_keys_at_its_time(fed: Any) -> None:
    world, _ = fed
    [answer] = await ask(world, key())
    assert answer.outputs["p"] == (107.5,)
    assert (answer.outputs["seen_year"], answer.outputs["seen_carrier"]) == ((1999.5,), ("Boeing",))
    assert answer.feature_ages == {"carriers": 7200.0, "planes": 3600.0}
    assert not answer.degraded
    early, late = await ask(world, key(), key(), event_times=[NOON - 3 * HOUR, NOON + HOUR])
    assert early.feature_ages == {"carriers": -3600.0, "planes": -7200.0}
    assert late.feature_ages == {"carriers": 10800.0, "planes": 7200.0}


async def test_what_the_caller_gives_is_not_read_nor_are_its_keys_needed(fed: Any) -> None:
    world, _ = fed
    given = {"stops": 1, "year": 2001.0, "carrier": "Airbus"}
    [answer] = await ask(world, key(), rows=[given])
    assert (answer.outputs["seen_year"], answer.outputs["seen_carrier"]) == ((2001.0,), ("Airbus",))
    assert answer.feature_ages == {"carriers": 7200.0}
    [full] = await ask(world, {"flight": 1}, rows=[{**given, "distance": 1.0}])
    assert (full.outputs["p"], dict(full.feature_ages), full.degraded) == ((101.0,), {}, False)


async def test_what_is_not_there_is_null_and_told_row_by_row(fed: Any) -> None:
    world, _ = fed
    rows = await ask(world, key(), key("N0"), key("N9"), key(None))
    assert [one.degraded for one in rows] == [False, False, True, True]
    assert [math.isnan(one.outputs["seen_year"][0]) for one in rows] == [False, True, True, True]
    assert [one.outputs["seen_carrier"] for one in rows] == [("Boeing",), ("",), ("",), ("",)]
    assert [one.feature_ages["planes"] for one in rows] == [3600.0, 3600.0, None, None]
    [old] = await ask(world, key(), event_times=NOON + 7 * HOUR)
    assert (old.degraded, old.feature_ages["planes"]) == (True, 8 * 3600.0)
    assert math.isnan(old.outputs["seen_year"][0])
    [alone] = await ask(world, key(None))
    assert alone.degraded


async def test_a_retry_gets_its_ages_again_and_the_log_has_the_event_times(fed: Any) -> None:
    world, _ = fed
    version = await world.register(1.0, takes=world.signature(READ, TAILNUM, CARRIER))
    await world.route("logged", ("main", version, 1))
    await world.ready("logged", version)
    given: dict[str, Any] = {"endpoint": "logged", "prediction_ids": ["f1", "f2"]}
    first = await ask(world, key(), key("N9"), **given)
    await world.client.features.push("carriers", [{"carrier": "UA"}], [{"delay": 7.5}], NOON - 2 * HOUR)
    again = await ask(world, key(), key("N9"), **given)
    assert [one.replayed for one in again] == [True, True]
    assert [(one.outputs["p"], one.feature_ages, one.degraded) for one in again] == [
        (one.outputs["p"], one.feature_ages, one.degraded) for one in first
    ]
    [batch] = await world.logged("logged", 2)
    noon_us, hour_us = int(NOON.timestamp()) * 10**6, 3_600 * 10**6
    assert {one.view: list(one.event_times_us) for one in batch.view_times} == {
        "carriers": [noon_us - 2 * hour_us] * 2,
        "planes": [noon_us - hour_us, 0],
    }
    assert (list(batch.degraded_rows), batch.shadow) == ([1], False)
    assert {one.name: list(one.strings.values) for one in batch.entity_keys}["tailnum"] == ["N1", "N9"]
    assert {one.name: list(one.absent_rows) for one in batch.features}["year"] == [1]


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ({"tailnum": "N1"}, "entity_keys[carrier]"),
        ({"tailnum": 7, "carrier": "UA"}, "entity_keys[tailnum]"),
        ({"tailnum": "N1", "carrier": "ZZ"}, "features[distance]"),
    ],
)
async def test_keys_that_do_not_do_are_refused_by_name(fed: Any, keys: Any, field: str) -> None:
    world, _ = fed
    with pytest.raises(SlipwayError) as caught:
        await ask(world, keys)
    assert caught.value.kind is Kind.INVALID_ARGUMENT
    assert [one.field for one in caught.value.violations] == [field]


async def test_a_missing_feature_names_the_caller_s_own_row(fed: Any) -> None:
    world, _ = fed
    with pytest.raises(SlipwayError) as caught:
        await ask(world, *[key()] * 3, key(carrier="ZZ"), key())
    assert caught.value.reason == "FEATURE_MISSING"
    assert "feature 'carriers:delay' has no value (NOT_FOUND) in row 3;" in caught.value.message


async def test_a_moment_before_1970_is_refused(fed: Any) -> None:
    world, _ = fed
    with pytest.raises(SlipwayError) as caught:
        await ask(world, key(), key(), event_times=[NOON, datetime(1969, 1, 1, tzinfo=UTC)])
    assert caught.value.violations[0].field == "event_times[1]"


@pytest.mark.parametrize(
    ("feature", "datatype", "seen"),
    [
        ("year", DataType.FP64, 1999.5),
        ("seats", DataType.FP32, 149.5),
        ("stops", DataType.INT64, 3),
        ("stops", DataType.INT32, 3),
        ("stops", DataType.FP32, 3.0),
        ("old", DataType.BOOL, True),
        ("old", DataType.FP32, 1.0),
        ("maker", DataType.BYTES, "Boeing"),
        ("built", DataType.INT64, 915_148_800_000_000),
    ],
)
async def test_features_of_each_type_reach_the_model(
    fed: Any, feature: str, datatype: DataType, seen: Any, onnx_models: ModuleType
) -> None:
    world, _ = fed
    types = {
        DataType.FP64: onnx_models.DOUBLE,
        DataType.FP32: onnx_models.FLOAT,
        DataType.INT64: onnx_models.INT64,
        DataType.INT32: onnx_models.INT32,
        DataType.BOOL: onnx_models.BOOL,
        DataType.BYTES: onnx_models.STRING,
    }
    name = f"{feature}_{datatype.value.lower()}"
    takes = Signature(
        (ColumnSpec("x", datatype, feature=f"planes:{feature}"),), (TensorSpec("y", datatype, (-1, 1)),), (TAILNUM,)
    )
    version = await world.register(model=name, artifact=onnx_models.echo(types[datatype]), takes=takes)
    await world.route(name, ("main", version, 1), model=name)
    await world.ready(name, version)
    [answer] = await world.client.inference.predict(name, entity_keys=[{"tailnum": "N1"}], event_times=NOON)
    assert answer.value == seen


async def test_a_feature_of_another_type_than_its_column_is_the_version_s_fault(
    fed: Any, onnx_models: ModuleType
) -> None:
    world, _ = fed
    takes = Signature(
        (ColumnSpec("x", DataType.INT64, feature="planes:year"),),
        (TensorSpec("y", DataType.INT64, (-1, 1)),),
        (TAILNUM,),
    )
    version = await world.register(model="mistyped", artifact=onnx_models.echo(onnx_models.INT64), takes=takes)
    await world.route("mistyped", ("main", version, 1), model="mistyped")
    await world.ready("mistyped", version)
    with pytest.raises(SlipwayError) as caught:
        await world.client.inference.predict("mistyped", entity_keys=[{"tailnum": "N1"}], event_times=NOON)
    assert (caught.value.kind, caught.value.reason) == (Kind.FAILED_PRECONDITION, "FEATURE_TYPE_MISMATCH")


async def test_a_large_batch_is_answered_whole(fed: Any) -> None:
    world, _ = fed
    keys = [key("N1" if row % 2 else "N9") for row in range(4000)]
    answers = await ask(world, *keys)
    assert [one.degraded for one in answers] == [row % 2 == 0 for row in range(4000)]
    assert {one.outputs["p"] for one in answers} == {(107.5,)}


async def test_without_the_feature_service_answers_go_on_where_they_can(fed: Any) -> None:
    world, shelf = fed
    loose = {"year": "planes:year", "carrier": "planes:maker"}
    version = await world.register(5.0, takes=world.signature(loose, TAILNUM))
    await world.route("loose", ("main", version, 1))
    await world.ready("loose", version)
    await shelf.stop()
    try:
        rows = [{"stops": 1, "distance": 2.0}]
        [answer] = await ask(world, {"tailnum": "N1"}, endpoint="loose", rows=rows)
        assert (answer.outputs["p"], answer.degraded) == ((7.0,), True)
        assert answer.feature_ages == {"planes": None}
        assert math.isnan(answer.outputs["seen_year"][0])
        with pytest.raises(SlipwayError) as caught:
            await ask(world, key())
        assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "FEATURES_UNAVAILABLE")
        assert "carriers:delay" in caught.value.message
        [batch] = await world.logged("loose", 1)
        assert list(batch.degraded_rows) == [0]
    finally:
        await shelf.start()
    async with asyncio.timeout(30):
        while (await ask(world, {"tailnum": "N1"}, endpoint="loose", rows=rows))[0].degraded:
            await asyncio.sleep(PAUSE_S)


async def test_a_fallback_is_what_the_model_sees_and_is_told_and_logged(fed: Any) -> None:
    world, _ = fed
    version = await world.register(5.0, takes=world.signature(FALLEN, PORT))
    await world.route("fallen", ("main", version, 1))
    await world.ready("fallen", version)
    here, there = ({"port": name} for name in ("JFK", "nowhere"))
    rows = await ask(world, here, there, here, endpoint="fallen")
    assert [(one.outputs["p"], one.outputs["seen_carrier"]) for one in rows] == [
        ((6.5,), ("east",)),
        ((12.5,), ("unknown",)),
        ((6.5,), ("east",)),
    ]
    assert [one.degraded for one in rows] == [False, True, False]
    assert [one.feature_ages["ports"] for one in rows] == [3600.0, None, 3600.0]
    [batch] = await world.logged("fallen", 3)
    assert {one.name: list(one.doubles.values) for one in batch.features}["distance"] == [1.5, 7.5, 1.5]
    assert list(batch.degraded_rows) == [1]
    assert {one.name: list(one.rows) for one in batch.feature_fallbacks} == {"distance": [1], "carrier": [1]}
    old = await ask(world, here, there, endpoint="fallen", event_times=NOON + 6 * HOUR)
    assert [(one.outputs["p"], one.degraded) for one in old] == [((12.5,), True)] * 2
    assert [one.feature_ages["ports"] for one in old] == [7 * 3600.0, None]


async def test_while_the_feature_service_is_away_its_fallbacks_go_on_counting(fed: Any) -> None:
    world, shelf = fed
    version = await world.register(6.0, takes=world.signature(FALLEN, PORT))
    await world.route("alone", ("main", version, 1))
    await world.ready("alone", version)
    [known] = await ask(world, {"port": "JFK"}, endpoint="alone")
    assert (known.outputs["p"], known.degraded) == ((7.5,), False)
    await shelf.stop()
    try:
        [answer] = await ask(world, {"port": "JFK"}, endpoint="alone")
        assert (answer.outputs["p"], answer.outputs["seen_carrier"]) == ((13.5,), ("unknown",))
        assert (answer.degraded, answer.feature_ages) == (True, {"ports": None})
        batches = await world.logged("alone", 2)
        assert {one.name: list(one.rows) for one in batches[-1].feature_fallbacks} == {"distance": [0], "carrier": [0]}
        # What has no fallback still can't be read.
        with pytest.raises(SlipwayError) as caught:
            await ask(world, key())
        assert caught.value.reason == "FEATURES_UNAVAILABLE"
    finally:
        await shelf.start()
    async with asyncio.timeout(30):
        while (await ask(world, {"port": "JFK"}, endpoint="alone"))[0].degraded:
            await asyncio.sleep(PAUSE_S)


async def test_rows_that_are_split_between_arms_keep_their_marks_in_the_log(fed: Any) -> None:
    world, _ = fed
    versions = [await world.register(0.0, takes=world.signature(FALLEN, PORT)) for _ in range(2)]
    await world.route("halves", ("main", versions[0], 50), ("canary", versions[1], 50))
    await world.ready("halves", *versions)
    ports = ["JFK" if n % 3 else f"nowhere-{n}" for n in range(40)]
    rows = [{"stops": 1}] * len(ports)
    answers = await ask(world, *({"port": one} for one in ports), rows=rows, endpoint="halves")
    assert [one.degraded for one in answers] == [one != "JFK" for one in ports]
    for batch in await world.logged("halves", len(ports)):
        tailed = {one.name: list(one.strings.values) for one in batch.entity_keys}["port"]
        lacking = [row for row, port in enumerate(tailed) if port != "JFK"]
        assert list(batch.degraded_rows) == lacking
        assert {one.name: list(one.rows) for one in batch.feature_fallbacks} == (
            {"distance": lacking, "carrier": lacking} if lacking else {}
        )


async def test_a_version_whose_feature_nobody_knows_does_not_spoil_the_other_arm(fed: Any) -> None:
    world, _ = fed
    good = await world.register(0.0, takes=world.signature(READ, TAILNUM, CARRIER))
    unknown = await world.register(0.0, takes=world.signature({**READ, "year": "planes:wings"}, TAILNUM, CARRIER))
    await world.route("split", ("main", good, 50), ("canary", unknown, 50))
    await world.ready("split", good, unknown)
    keyed = [key(f"N{n}") for n in range(60)]
    answers = await ask(world, *keyed, endpoint="split")
    by_arm = {arm: [one for one in answers if one.route == arm] for arm in ("main", "canary")}
    assert all(one.degraded for one in by_arm["canary"])
    assert {one.outputs["p"] for one in answers} == {(7.5,)}
    assert all(one.feature_ages["carriers"] == 7200.0 for one in answers)
    known = [one for one, asked in zip(answers, keyed, strict=True) if asked["tailnum"] == "N1"]
    assert [one.degraded for one in known] == [known[0].route == "canary"]
    assert min(len(arm) for arm in by_arm.values()) > 0


async def test_a_shadow_reads_its_own_features_beside_those_of_the_answer_or_behind_it(fed: Any) -> None:
    world, _ = fed
    plain = await world.register(1.0)
    less = await world.register(2.0, takes=world.signature({"distance": "carriers:delay"}, CARRIER))
    more = await world.register(3.0, takes=world.signature(READ, TAILNUM, CARRIER))
    for name, main, rows in (
        ("behind", plain, [{"stops": 1, "distance": 1.0}]),
        ("beside", less, [{"stops": 1}]),
    ):
        await world.route(name, ("main", main, 1), ("candidate", more, 0), shadow="candidate")
        await world.ready(name, main, more)
        [answer] = await ask(world, key(), endpoint=name, rows=rows)
        assert answer.version == main
        answered, scored = sorted(await world.logged(name, 2), key=lambda one: one.shadow)
        assert (scored.shadow, scored.version, list(scored.prediction_ids)) == (
            True,
            more,
            list(answered.prediction_ids),
        )
        assert not scored.degraded_rows
        assert {one.name: list(one.doubles.values) for one in scored.features}["year"] == [1999.5]
        assert "planes" in {one.view for one in scored.view_times}
        assert "planes" not in {one.view for one in answered.view_times}


async def test_a_shadow_whose_keys_the_caller_does_not_have_costs_the_caller_nothing(fed: Any) -> None:
    world, _ = fed
    less = await world.register(2.0, takes=world.signature({"distance": "carriers:delay"}, CARRIER))
    more = await world.register(3.0, takes=world.signature(READ, TAILNUM, CARRIER))
    await world.route("keyless", ("main", less, 1), ("candidate", more, 0), shadow="candidate")
    await world.ready("keyless", less, more)
    for _ in range(20):
        [answer] = await ask(world, {"carrier": "UA"}, endpoint="keyless")
        assert (answer.version, answer.degraded) == (less, False)
    arms = await world.until("keyless", lambda arms: bool(arms[1].disabled_reason))
    assert "entity_keys[tailnum]: is missing" in arms[1].disabled_reason


async def test_the_open_protocol_reads_nothing(fed: Any) -> None:
    from slipway.gen.inference import inference_pb2 as open_pb  # noqa: PLC0415 - one test speaks it

    world, _ = fed
    asked = open_pb.ModelInferRequest(model_name="late")
    stops = asked.inputs.add(name="stops", datatype="INT64", shape=[1])
    stops.contents.int64_contents.append(1)
    with pytest.raises(SlipwayError) as caught:
        await world.call("ModelInfer", asked, open_pb.DESCRIPTOR.services_by_name["GRPCInferenceService"])
    assert [one.field for one in caught.value.violations] == ["inputs[distance]"]


async def test_keys_of_two_lengths_are_refused(fed: Any) -> None:
    world, _ = fed
    asked = pb.PredictRequest(endpoint="late")
    asked.entity_keys.add(name="tailnum").strings.values.extend(["N1", "N2"])
    asked.entity_keys.add(name="carrier").strings.values.extend(["UA"])
    with pytest.raises(SlipwayError) as caught:
        await world.call("Predict", asked)
    assert caught.value.violations[0].field == "entity_keys[carrier]"
