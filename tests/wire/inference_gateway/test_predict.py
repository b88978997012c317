from __future__ import annotations

import asyncio
import math
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import resources_pb2 as res

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)


async def test_rows_are_answered_in_order_by_the_version_that_serves(served: Any) -> None:
    rows = [{**served.row, "distance": float(number), "carrier": f"c{number}"} for number in range(50)]
    answers = await served.client.inference.predict("late", rows)
    assert [one.outputs["p"] for one in answers] == [(float(number),) for number in range(50)]
    assert [one.outputs["seen_carrier"] for one in answers] == [(f"c{number}",) for number in range(50)]
    assert {(one.model, one.version, one.route, one.replayed) for one in answers} == {("m", 1, "main", False)}
    assert len({one.prediction_id for one in answers}) == 50


async def test_what_is_absent_reaches_the_model_as_nan_and_as_the_empty_text(served: Any) -> None:
    rows = [{**served.row, "year": None, "carrier": None}, served.row, {"distance": 1.0, "stops": 0}]
    first, second, third = await served.client.inference.predict("late", rows)
    for one in (first, third):
        assert math.isnan(one.outputs["seen_year"][0])
        assert one.outputs["seen_carrier"] == ("",)
    assert (second.outputs["seen_year"], second.outputs["seen_carrier"]) == ((1999.0,), ("UA",))
    [alone] = await served.client.inference.predict("late", [{**served.row, "carrier": None}])
    assert alone.outputs["seen_carrier"] == ("",)


async def test_an_id_that_comes_again_gets_its_answer_again(served: Any) -> None:
    predict = served.client.inference.predict
    rows = [served.row, {**served.row, "distance": 5.0}]
    first = await predict("late", rows, prediction_ids=["again-1", "again-2"])
    again = await predict("late", rows[::-1], prediction_ids=["again-2", "again-1"])
    assert [one.replayed for one in (*first, *again)] == [False, False, True, True]
    assert [one.outputs for one in again[::-1]] == [one.outputs for one in first]
    mixed = await predict("late", [*rows, served.row], prediction_ids=["again-1", "again-2", "again-3"])
    assert [one.replayed for one in mixed] == [True, True, False]
    assert [one.prediction_id for one in mixed] == ["again-1", "again-2", "again-3"]
    batches = await served.logged("late", 0)
    counted = Counter(one for batch in batches for one in batch.prediction_ids)
    assert counted["again-1"] <= 1


async def test_callers_who_ask_at_once_under_one_id_get_one_answer(served: Any) -> None:
    asked = [served.client.inference.predict("late", [served.row], prediction_ids=["together"]) for _ in range(40)]
    answers = [one for [one] in await asyncio.gather(*asked)]
    assert sorted(one.replayed for one in answers) == [False] + [True] * 39


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({"distance": 2.0}, {}),
        ({"carrier": None}, {}),
        ({}, {"event_times": NOON}),
        ({}, {"entity_keys": [{"flight": "UA1"}]}),
    ],
)
async def test_an_id_with_other_input_is_refused(served: Any, change: Any, asked: Any) -> None:
    predict = served.client.inference.predict
    await predict("late", [served.row], prediction_ids=["taken"])
    with pytest.raises(SlipwayError) as caught:
        await predict("late", [{**served.row, **change}], prediction_ids=["taken"], **asked)
    assert (caught.value.kind, caught.value.reason) == (Kind.ALREADY_EXISTS, "PREDICTION_ID_REUSED")
    assert caught.value.facts == {"prediction_id": "taken"}


async def test_every_answer_is_logged_with_what_was_asked_and_seen(served: Any) -> None:
    number = await served.standing("logged", 1.0)
    predict = served.client.inference.predict
    rows = [served.row, {**served.row, "distance": 5.0, "year": None}]
    keyed = await predict("logged", rows, prediction_ids=["l1", "l2"], entity_keys=[{"flight": "a"}, {"flight": "b"}])
    plain = await predict("logged", rows, event_times=[NOON, NOON.replace(hour=13)])
    first, second = await served.logged("logged", 4)
    assert (first.endpoint, first.model, first.version, first.route) == ("logged", "m", number, "main")
    assert list(first.prediction_ids) == ["l1", "l2"] == [one.prediction_id for one in keyed]
    assert list(second.prediction_ids) == [one.prediction_id for one in plain]
    assert [len(one) for one in first.input_digests] == [16, 16]
    assert list(second.input_digests) == [b"", b""]
    noon_us = int(NOON.timestamp()) * 1_000_000
    assert list(second.event_times_us) == [noon_us, noon_us + 3_600_000_000]
    assert list(first.entity_keys[0].strings.values) == ["a", "b"]
    features = {one.name: one for one in first.features}
    assert list(features["distance"].doubles.values) == [1.0, 5.0]
    assert list(features["year"].absent_rows) == [1]
    assert {one.name: list(one.values) for one in first.outputs}["p"] == [2.0, 6.0]


async def test_two_versions_share_by_weight_and_an_entity_keeps_its_own(served: Any) -> None:
    first, second = await served.register(100.0), await served.register(200.0)
    await served.route("split", ("main", first, 70), ("canary", second, 30))
    await served.ready("split", first, second)
    predict = served.client.inference.predict
    rows = [{**served.row, "distance": 0.0} for _ in range(600)]
    keys = [{"flight": f"UA{number}"} for number in range(600)]
    together = await predict("split", rows, entity_keys=keys)
    for one in together:
        expected = (first, "main", 100.0) if one.route == "main" else (second, "canary", 200.0)
        assert (one.version, one.route, one.outputs["p"][0]) == expected
    share = sum(one.route == "canary" for one in together) / 600
    assert 0.2 < share < 0.4
    alone = [(await predict("split", rows[:1], entity_keys=[key]))[0].route for key in keys[:20]]
    assert alone == [one.route for one in together[:20]]
    unkeyed = await predict("split", rows)
    assert 0.2 < sum(one.route == "canary" for one in unkeyed) / 600 < 0.4
    batches = await served.logged("split", 1220)
    assert {(one.route, one.version) for one in batches} == {("main", first), ("canary", second)}


async def test_a_bad_row_of_a_split_batch_is_named_by_its_own_number(served: Any) -> None:
    first, second = await served.register(1.0), await served.register(2.0)
    await served.route("halved", ("main", first, 50), ("canary", second, 50))
    await served.ready("halved", first, second)
    rows = [{**served.row, "distance": 1e39 if number == 37 else 1.0} for number in range(60)]
    with pytest.raises(SlipwayError) as caught:
        await served.client.inference.predict("halved", rows)
    [violation] = caught.value.violations
    assert violation.field == "features[distance]"
    assert violation.description.endswith("in row 37")


async def test_a_batch_larger_than_an_event_is_logged_whole(served: Any) -> None:
    await served.standing("large", 3.0)
    rows = [{**served.row, "carrier": f"{number}" + "x" * 1000} for number in range(3000)]
    ids = [f"large-{number}" for number in range(3000)]
    asked = pb.PredictRequest(
        endpoint="large",
        prediction_ids=ids,
        features=[
            res.Column(name="distance", doubles=res.DoubleValues(values=[1.0] * 3000)),
            res.Column(name="stops", int64s=res.Int64Values(values=[1] * 3000)),
            res.Column(name="carrier", strings=res.StringValues(values=[row["carrier"] for row in rows])),
        ],
    )
    answer = await served.call("Predict", asked)
    assert [one.prediction_id for one in answer.predictions] == ids
    batches = await served.logged("large", 3000)
    assert [one for batch in batches for one in batch.prediction_ids] == ids
    await served.client.inference.predict("large", [served.row])
    await served.logged("large", 3001)


async def test_a_row_larger_than_an_event_is_refused_and_the_next_one_is_logged(served: Any) -> None:
    await served.standing("wide", 4.0)
    with pytest.raises(SlipwayError) as caught:
        await served.client.inference.predict("wide", [{**served.row, "carrier": "x" * 2**20}], prediction_ids=["w"])
    assert (caught.value.kind, caught.value.reason) == (Kind.INVALID_ARGUMENT, "PREDICTION_TOO_LARGE")
    await served.client.inference.predict("wide", [served.row], prediction_ids=["w"])
    [batch] = await served.logged("wide", 1)
    assert list(batch.prediction_ids) == ["w"]


async def test_a_weight_of_nothing_gets_nothing_but_answers_by_its_number(served: Any) -> None:
    first, second = await served.register(1.0), await served.register(2.0)
    await served.route("shadowed", ("main", first, 1), ("shadow", second, 0))
    await served.ready("shadowed", first, second)
    answers = await served.client.inference.predict("shadowed", [served.row] * 200)
    assert {one.route for one in answers} == {"main"}
    from slipway.gen.inference import inference_pb2 as open_pb  # noqa: PLC0415 - one test speaks it

    asked = open_pb.ModelMetadataRequest(name="shadowed", version=str(second))
    open_service = open_pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]
    assert list((await served.call("ModelMetadata", asked, open_service)).versions) == [str(first), str(second)]
