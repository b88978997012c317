"""The client against the real registry: tables, artifacts and event log on disk, gRPC between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.registry.adapters.sql import MIGRATIONS
from services.registry.config import RegistryConfig, Rpc
from services.registry.main import Parts, compose
from slipway import lifecycle, sql
from slipway.client import (
    Artifact,
    AsyncSlipway,
    Baseline,
    CodeReference,
    ColumnSpec,
    DataReference,
    DataType,
    FeatureBaseline,
    Kind,
    Lineage,
    ModelVersion,
    PerformanceBaseline,
    RolloutPlan,
    RolloutState,
    RolloutStep,
    Route,
    Signature,
    Slipway,
    SlipwayError,
    TensorSpec,
)

SIGNATURE = Signature(
    (ColumnSpec("distance", DataType.FP32, nullable=True, description="miles"),),
    (TensorSpec("late", DataType.FP32, (-1, 1)),),
)
LINEAGE = Lineage(
    DataReference("sha256:" + "d" * 64, "flights", 10), CodeReference("sha256:" + "c" * 64, "abc", "flights-delay")
)


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Parts]:
    config = RegistryConfig(rpc=Rpc(listen="127.0.0.1:0"), data=tmp_path)
    await asyncio.to_thread(sql.migrate, config.database, MIGRATIONS)
    async with compose(config) as parts, lifecycle.running(*parts):
        yield parts


@pytest.fixture
async def client(registry: Parts) -> AsyncIterator[AsyncSlipway]:
    async with AsyncSlipway(registry=f"127.0.0.1:{registry.server.port}") as made:
        yield made


async def version(client: AsyncSlipway, data: bytes = b"onnx", request_id: str | None = None) -> ModelVersion:
    await client.registry.create_model("late", owner="dock")
    artifact = await client.registry.upload_artifact(data)
    return await client.registry.register_version(
        "late",
        artifact,
        SIGNATURE,
        metrics={"auc": 0.75},
        params={"leaves": "31"},
        lineage=LINEAGE,
        request_id=request_id,
    )


async def test_a_version_is_registered_once_and_read_back(client: AsyncSlipway) -> None:
    data = bytes(range(256)) * 8000
    made = await version(client, data, "once")
    assert await version(client, data, "once") == made
    assert (made.number, made.signature, made.lineage, made.metrics) == (1, SIGNATURE, LINEAGE, {"auc": 0.75})
    assert await client.registry.get_version("late", number=1) == made
    assert [one async for one in client.registry.versions("late")] == [made]
    assert await client.registry.download_artifact(made.artifact.digest) == data


async def test_a_moved_alias_moves_the_endpoint_that_follows_it(client: AsyncSlipway) -> None:
    first, second = await version(client, b"a"), await version(client, b"b")
    await client.registry.set_alias("late", "champion", first.number, expected_version=0)
    put = await client.registry.put_endpoint("flight-delay", [Route("main", "late", alias="champion")])
    async with client.registry.watch_endpoints("test") as changes:
        snapshot = await anext(changes)
        assert (snapshot.snapshot, snapshot.endpoints, snapshot.versions) == (True, (put,), (first,))
        await client.registry.set_alias("late", "champion", second.number)
        change = await anext(changes)
        assert not change.snapshot
        assert change.revision > snapshot.revision
        assert change.endpoints[0].routes[0].resolved_version == second.number
        assert change.versions == (second,)
    assert [one.name async for one in client.registry.endpoints()] == ["flight-delay"]
    model = await client.registry.get_model("late")
    assert [(alias.name, alias.version) for alias in model.aliases] == [("champion", 2)]
    with pytest.raises(SlipwayError) as caught:
        await client.registry.set_alias("late", "champion", 1, expected_version=1)
    assert caught.value.kind is Kind.ABORTED


async def test_a_watch_ends_when_the_registry_stops(registry: Parts, client: AsyncSlipway) -> None:
    changes = client.registry.watch_endpoints("test")
    assert (await anext(changes)).snapshot
    # Its answer shows that the server has done with sending the snapshot.
    assert [model async for model in client.registry.models()] == []
    await registry.server.stop()
    with pytest.raises(SlipwayError) as caught:
        await anext(changes)
    assert caught.value.kind is Kind.UNAVAILABLE


async def test_refusals_name_their_fields(client: AsyncSlipway) -> None:
    with pytest.raises(SlipwayError) as named:
        await client.registry.create_model("Not A Name", owner="dock")
    assert named.value.kind is Kind.INVALID_ARGUMENT
    assert named.value.violations[0].field == "model.name"
    with pytest.raises(SlipwayError) as unknown:
        await client.registry.get_model("none")
    assert unknown.value.kind is Kind.NOT_FOUND
    await client.registry.create_model("late", owner="dock")
    with pytest.raises(SlipwayError) as missing:
        await client.registry.register_version("late", Artifact("sha256:" + "0" * 64), SIGNATURE)
    assert missing.value.kind is Kind.FAILED_PRECONDITION


async def test_threads_share_a_client(registry: Parts) -> None:
    with Slipway(registry=f"127.0.0.1:{registry.server.port}") as client:
        names = [f"m{n}" for n in range(8)]
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(asyncio.to_thread(client.registry.create_model, name, owner="dock"))
        assert [model.name for model in await asyncio.to_thread(lambda: list(client.registry.models()))] == names


BASELINE = Baseline(
    (
        FeatureBaseline("distance", 0.75, (100.5, 500.25), (), (1, 2, 3), 4, 0.01, minimum=0.0, maximum=5e3),
        FeatureBaseline("carrier", 0.25, (), ("UA", "AA"), (5, 6, 0)),
    ),
    PerformanceBaseline(0.7, 0.02, None, 0.0, 100),
    timedelta(days=7),
    11,
)
READ_ONLINE = Signature(
    (ColumnSpec("distance", DataType.FP32, feature="plane:distance"), ColumnSpec("carrier", DataType.BYTES)),
    SIGNATURE.outputs,
    (ColumnSpec("plane", DataType.BYTES),),
)


async def test_a_version_keeps_its_baseline_features_and_training_set(client: AsyncSlipway) -> None:
    await client.registry.create_model("late", owner="dock")
    artifact = await client.registry.upload_artifact(b"onnx")
    lineage = Lineage(DataReference("sha256:d", "flights", 10, "ts-1", ("plane@3", "flight_delay@2")))
    made = await client.registry.register_version(
        "late", artifact, READ_ONLINE, lineage=lineage, baseline=BASELINE, request_id="r"
    )
    assert (made.baseline, made.signature, made.lineage.data) == (BASELINE, READ_ONLINE, lineage.data)
    again = await client.registry.register_version(
        "late", artifact, READ_ONLINE, lineage=lineage, baseline=BASELINE, request_id="r"
    )
    assert again == made == await client.registry.get_version("late", number=1)
    with pytest.raises(SlipwayError) as caught:
        await client.registry.register_version(
            "late", artifact, READ_ONLINE, lineage=lineage, baseline=replace(BASELINE, row_count=12), request_id="r"
        )
    assert caught.value.kind is Kind.ALREADY_EXISTS
    # Whoever serves is spared the baseline, but for the values that are valid, and those that are typical.
    await client.registry.put_endpoint("late", [Route("main", "late", version=1)])
    async with client.registry.watch_endpoints() as changes:
        [served] = (await anext(changes)).versions
    distance = FeatureBaseline("distance", minimum=0.0, maximum=5e3, typical=300.375)
    assert served.baseline == Baseline((distance, FeatureBaseline("carrier", typical="AA")))


async def test_a_baseline_that_is_too_large_is_refused_by_its_size_and_pages_of_large_ones_end_early(
    client: AsyncSlipway,
) -> None:
    await client.registry.create_model("late", owner="dock")
    artifact = await client.registry.upload_artifact(b"onnx")

    def wide(edges: int) -> Baseline:
        rising = tuple(float(edge) for edge in range(edges))
        return Baseline((FeatureBaseline("distance", 1.0, rising, (), (1,) * (edges + 1)),))

    with pytest.raises(SlipwayError) as caught:
        await client.registry.register_version("late", artifact, SIGNATURE, baseline=wide(130_000))
    assert [one.field for one in caught.value.violations] == ["version.baseline"]
    for _ in range(4):
        await client.registry.register_version("late", artifact, SIGNATURE, baseline=wide(80_000))
    found = [version async for version in client.registry.versions("late")]
    assert [version.number for version in found] == [4, 3, 2, 1]
    assert all(version.baseline == wide(80_000) for version in found)


async def test_a_rollout_is_started_cancelled_listed_and_an_endpoint_rolled_back(client: AsyncSlipway) -> None:
    first = await version(client)
    second = await version(client, b"better", "second")
    await client.registry.set_alias("late", "champion", first.number)
    await client.registry.put_endpoint(
        "late", [Route("main", "late", alias="champion"), Route("dark", "late", version=1, weight=0, shadow=True)]
    )
    plan = RolloutPlan((RolloutStep(0, 10), RolloutStep(25, 10, 20)), 0.01)
    since = datetime(2013, 5, 1, tzinfo=UTC)
    started = await client.registry.start_rollout(
        "late", second.number, plan, request_id="roll", start_event_time=since
    )
    assert started == await client.registry.start_rollout(
        "late", second.number, plan, request_id="roll", start_event_time=since
    )
    rollout = started.rollout
    assert rollout is not None
    assert (rollout.state, rollout.step, rollout.start_event_time) == (RolloutState.RUNNING, 0, since)
    assert rollout.plan == RolloutPlan((RolloutStep(0, 10, 1_000), RolloutStep(25, 10, 20)), 0.01, 0.05)
    assert [(route.name, route.shadow) for route in started.routes] == [
        ("main", False),
        ("dark", True),
        ("candidate", True),
    ]
    ended = await client.registry.cancel_rollout("late", rollout.id, reason="not today")
    assert [one async for one in client.registry.rollouts("late")] == [ended.rollout]
    await client.registry.set_alias("late", "champion", second.number)
    back = await client.registry.roll_back("late", second.number, reason="worse")
    assert back.routes[0].resolved_version == first.number
    assert await client.registry.roll_back("late", second.number) == back
