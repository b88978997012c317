from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slipway.client import (
    Aggregation,
    AggregationFunction,
    Feature,
    FeatureService,
    FeatureView,
    Kind,
    SlipwayError,
    Source,
    TrainingSet,
    TrainingSetState,
    ValueType,
)
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.rpc import status

HOUR = timedelta(hours=1)
START = datetime(2013, 1, 1, tzinfo=UTC)
SOURCE = Source("landings", "landings", "landed")
PLANES = FeatureView(
    "planes",
    "fleet",
    ("tailnum",),
    (Feature("seats", ValueType.INT32),),
    entity_types=(ValueType.STRING,),
    source=SOURCE,
)
LATE = FeatureView(
    "late",
    "fleet",
    ("tailnum",),
    (Feature("n", ValueType.INT64), Feature("mean", ValueType.DOUBLE)),
    source=SOURCE,
    aggregations=(
        Aggregation("n", "delay", AggregationFunction.COUNT, 2 * HOUR),
        Aggregation("mean", "delay", AggregationFunction.MEAN, 24 * HOUR),
    ),
    hop=HOUR,
)
SERVICE = FeatureService("late_arrivals", "fleet", ("late:mean", "planes:seats", "late:n"))


def parquet(**columns: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


SPINE = parquet(
    tailnum=["N1", "N2", "N3", "N1"],
    event_time=[START + 4 * HOUR, START + 9 * HOUR, START + 4 * HOUR, START + HOUR],
    label=[1, 0, 1, 0],
    label_time=[START + 5 * HOUR, START + 10 * HOUR, START + 5 * HOUR, START + 6 * HOUR],
)


@pytest.fixture
async def landed(features: Any, tmp_path: Path) -> Any:
    """Feature serving with two views of one source and a feature service."""
    folder = tmp_path / "feature_serving" / "sources" / "landings"
    folder.mkdir(parents=True)
    landings = parquet(
        tailnum=["N1", "N1", "N2"],
        landed=[START, START + 3 * HOUR, START],
        delay=[1.0, 2.0, None],
        seats=[100, 200, 300],
    )
    (folder / "1.parquet").write_bytes(landings)
    await features.client.features.apply([PLANES, LATE])
    await features.client.features.apply_services([SERVICE])
    return features


async def made(served: Any, spine: bytes = SPINE, **options: Any) -> TrainingSet:
    asked = await served.client.features.create_training_set(spine, "late_arrivals", **options)
    ended: TrainingSet = await served.client.features.wait_training_set(asked.id, timeout_s=60)
    return ended


async def test_a_set_holds_what_was_known_at_each_rows_moment(landed: Any) -> None:
    found = await made(landed)
    assert (found.state, found.error, found.row_count, found.rows_after_cutoff) == (TrainingSetState.READY, "", 4, 0)
    data = await landed.client.features.download_training_set(found.id)
    assert len(data) == found.size_bytes
    table = pq.read_table(io.BytesIO(data))
    assert table.column_names[:4] == ["tailnum", "event_time", "label", "label_time"]
    features = table.select(["late__mean", "planes__seats", "late__n"]).to_pylist()
    assert [tuple(row.values()) for row in features] == [
        (1.5, 200, 1),
        (None, 300, 0),
        (None, None, None),
        (1.0, 100, 1),
    ]
    assert [(one.view, one.view_revision, one.path, one.row_count) for one in found.inputs] == [
        ("late", 1, "landings", 3),
        ("planes", 1, "landings", 3),
    ]
    assert {one.feature: one.null_count for one in found.columns if one.feature} == {
        "late:mean": 2,
        "planes:seats": 1,
        "late:n": 1,
    }
    assert found.code.startswith("sha256:")
    assert " duckdb " in found.code
    assert (found.feature_service_revision, found.cutoff) == (1, None)


async def test_nothing_after_the_cutoff_is_in_it(landed: Any) -> None:
    cutoff = START + 5 * HOUR
    found = await made(landed, cutoff=cutoff)
    assert (found.cutoff, found.row_count, found.rows_after_cutoff) == (cutoff, 2, 2)


async def test_the_same_question_gives_the_set_that_is_there(landed: Any, tmp_path: Path) -> None:
    first = await made(landed, request_id="one")
    assert (await made(landed, request_id="two")).id == first.id
    assert (await made(landed, cutoff=START, request_id="three")).id != first.id
    with pytest.raises(SlipwayError) as caught:
        await made(landed, cutoff=START, request_id="one")
    assert (caught.value.kind, caught.value.reason) == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    more = tmp_path / "feature_serving" / "sources" / "landings" / "2.parquet"
    more.write_bytes(parquet(tailnum=["N3"], landed=[START], delay=[4.0], seats=[7]))
    grown = await made(landed)
    assert (grown.id, grown.inputs[0].row_count) != (first.id, 3)
    await landed.client.features.apply([replace(PLANES, description="now told")])
    assert (await made(landed)).inputs[1].view_revision == 2
    listed = [one.id async for one in landed.client.features.training_sets()]
    assert (len(listed), listed[-1]) == (4, first.id)
    # What was answered stays answered.
    assert (await made(landed, request_id="one")).digest == first.digest


async def test_a_set_that_failed_is_made_anew_when_it_is_asked_for_again(landed: Any, tmp_path: Path) -> None:
    file = tmp_path / "feature_serving" / "sources" / "landings" / "1.parquet"
    data = file.read_bytes()
    file.unlink()
    failed = await made(landed, request_id="gone")
    assert failed.state is TrainingSetState.FAILED
    assert "no Parquet at landings; put it there and ask again" in failed.error
    with pytest.raises(SlipwayError, match="no Parquet at landings") as caught:
        await landed.client.features.download_training_set(failed.id)
    assert caught.value.kind is Kind.FAILED_PRECONDITION
    file.write_bytes(data)
    assert (await made(landed)).state is TrainingSetState.READY
    assert (await made(landed, request_id="gone")).id == failed.id


async def test_a_spine_that_is_none_is_told_by_the_set_and_the_next_is_made(landed: Any) -> None:
    lacking = await made(landed, parquet(tailnum=["N1"]))
    assert "the spine lacks the column event_time" in lacking.error
    assert "is no Parquet file" in (await made(landed, b"junk")).error
    assert (await made(landed)).state is TrainingSetState.READY


async def test_what_can_t_be_asked_for_is_refused(landed: Any) -> None:
    digest = await landed.client.features.upload_spine(SPINE)
    good: dict[str, Any] = {"request_id": "r", "spine_digest": digest, "feature_service": "late_arrivals"}
    refusals: list[tuple[dict[str, Any], Kind, str]] = [
        ({"request_id": ""}, Kind.INVALID_ARGUMENT, "request_id"),
        ({"spine_digest": ""}, Kind.INVALID_ARGUMENT, "spine_digest"),
        ({"spine_digest": "sha256:" + "0" * 64}, Kind.NOT_FOUND, "spine_digest"),
        ({"feature_service": "Not A Name"}, Kind.INVALID_ARGUMENT, "feature_service"),
        ({"feature_service": "none"}, Kind.NOT_FOUND, "feature_service"),
        ({"cutoff_time": {"seconds": 10**15}}, Kind.INVALID_ARGUMENT, "cutoff_time"),
    ]
    for change, kind, field in refusals:
        error = await landed.refused("CreateTrainingSet", pb.CreateTrainingSetRequest(**{**good, **change}))
        assert (error.kind, error.violations[0].field) == (kind, field), change
    assert [one async for one in landed.client.features.training_sets()] == []


async def test_a_view_that_nothing_is_known_of_is_refused(landed: Any) -> None:
    online = FeatureView("online", "fleet", ("tailnum",), (Feature("seats", ValueType.INT32),))
    outside = replace(online, name="outside", source=Source("x", "../secret.parquet", "t"))
    for view, reason in ((online, "VIEW_WITHOUT_SOURCE"), (outside, "SOURCE_OUTSIDE")):
        await landed.client.features.apply([view])
        await landed.client.features.apply_services([FeatureService("late_arrivals", "fleet", (f"{view.name}:seats",))])
        with pytest.raises(SlipwayError) as caught:
            await made(landed)
        assert (caught.value.kind, caught.value.reason) == (Kind.FAILED_PRECONDITION, reason)


@pytest.mark.parametrize("method", ["GetTrainingSet", "DownloadTrainingSet"])
async def test_an_unknown_set_is_not_found(features: Any, method: str) -> None:
    if method == "GetTrainingSet":
        error = await features.refused(method, pb.GetTrainingSetRequest(id="none"))
        assert (error.kind, error.reason) == (Kind.NOT_FOUND, "TRAINING_SET_NOT_FOUND")
        assert (await features.refused(method, b"\xff\xff")).kind is Kind.INVALID_ARGUMENT
        return
    with pytest.raises(SlipwayError) as caught:
        async with features.client.features._stub.stream(
            method, pb.DownloadTrainingSetRequest(id="none"), pb.DownloadTrainingSetResponse, lambda answer: answer
        ) as chunks:
            assert [one async for one in chunks] == []
    assert caught.value.reason == "TRAINING_SET_NOT_FOUND"


async def test_a_bad_page_is_refused(features: Any) -> None:
    error = await features.refused("ListTrainingSets", pb.ListTrainingSetsRequest(page_size=-1))
    assert error.violations[0].field == "page_size"
    error = await features.refused("ListTrainingSets", pb.ListTrainingSetsRequest(page_token="junk"))
    assert error.violations[0].field == "page_token"


async def test_a_spine_is_stored_whole_or_not_at_all(serve: Any, tmp_path: Path, redis_at: str) -> None:
    async with serve(tmp_path, redis_at, training_sets={"max_spine_bytes": 1000}) as served:
        for pieces, kind, reason in (
            ([pb.UploadSpineRequest(chunk=bytes(600))] * 2, Kind.RESOURCE_EXHAUSTED, "SPINE_TOO_LARGE"),
            ([], Kind.INVALID_ARGUMENT, "INVALID_FIELD"),
            (
                [pb.UploadSpineRequest(chunk=b"these", expected_digest="sha256:" + "0" * 64)],
                Kind.DATA_LOSS,
                "DIGEST_MISMATCH",
            ),
        ):
            error = await _upload_refused(served, pieces)
            assert (error.kind, error.reason) == (kind, reason)
        stored = tmp_path / "feature_serving" / "artifacts"
        assert [path for path in stored.rglob("*") if path.is_file()] == []


async def _upload_refused(served: Any, pieces: list[pb.UploadSpineRequest]) -> SlipwayError:
    async with grpc.aio.insecure_channel(served.address) as channel:
        call: Any = channel.stream_unary("/slipway.features.v1.FeatureStoreService/UploadSpine", None, None)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(iter([one.SerializeToString() for one in pieces]), timeout=30)
    trailing: Any = raised.value.trailing_metadata()
    return status.decode(raised.value.code(), raised.value.details() or "", tuple(trailing))


async def test_where_two_serve_the_same_data_neither_is_in_the_others_way(
    serve: Any, tmp_path: Path, redis_at: str, landed: Any
) -> None:
    asked = await landed.client.features.create_training_set(SPINE, "late_arrivals", START + 100 * HOUR)
    async with serve(tmp_path, redis_at) as second:
        found = await second.client.features.wait_training_set(asked.id, timeout_s=60)
    assert found.state is TrainingSetState.READY


async def test_the_command_makes_lists_shows_and_fetches(landed: Any, tmp_path: Path) -> None:
    spine, output = tmp_path / "spine.parquet", tmp_path / "set.parquet"
    spine.write_bytes(SPINE)
    create = ("training-set", "create", str(spine), "--feature-service", "late_arrivals")
    done = await landed.run(*create, "--cutoff", "2013-01-02T00:00:00Z", "--output", str(output), "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["state"], told["rows"], told["inputs"][0]["view"]) == ("ready", 4, "late")
    assert pq.read_table(output).num_rows == 4
    listed = await landed.run("training-set", "list")
    assert told["id"] in listed.stdout
    shown = await landed.run("training-set", "show", told["id"])
    assert "late__mean" in shown.stdout
    again = tmp_path / "again.parquet"
    fetched = await landed.run("training-set", "download", told["id"], str(again))
    assert fetched.exit_code == 0
    assert again.read_bytes() == output.read_bytes()


async def test_the_command_says_what_is_wrong(landed: Any, tmp_path: Path) -> None:
    spine = tmp_path / "spine.parquet"
    spine.write_bytes(parquet(tailnum=["N1"]))
    create = ("training-set", "create", str(spine), "--feature-service")
    for arguments, code, told in (
        ((*create, "late_arrivals"), 1, "lacks the column event_time"),
        ((*create, "none"), 3, "there is no feature service 'none'"),
        ((*create, "late_arrivals", "--cutoff", "noon"), 2, "--cutoff"),
        ((*create, "late_arrivals", "--no-wait", "--output", "x"), 2, "leave out --no-wait"),
        (("training-set", "create", str(tmp_path / "gone"), "--feature-service", "late_arrivals"), 2, "can't open"),
        (("training-set", "show", "none"), 3, "there is no training set"),
    ):
        done = await landed.run(*arguments)
        assert (done.exit_code, told in done.stderr) == (code, True), done.stderr
