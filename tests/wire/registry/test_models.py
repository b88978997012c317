from __future__ import annotations

from typing import Any

import pytest

from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.registry.v1 import events_pb2
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

MODEL = res.Model(name="flight-delay", owner="dock", description="late?")


async def refused(wire: Any, method: str, request: Any) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        await wire.call(method, request)
    return caught.value


async def test_a_model_is_created_once_and_found(wire: Any) -> None:
    request = pb.CreateModelRequest(model=MODEL)
    first = await wire.call("CreateModel", request)
    assert await wire.call("CreateModel", request) == first
    assert (first.model.name, first.model.owner, first.model.description) == ("flight-delay", "dock", "late?")
    assert first.model.latest_version == 0
    assert (await wire.call("GetModel", pb.GetModelRequest(name="flight-delay"))).model == first.model
    other = await refused(wire, "CreateModel", pb.CreateModelRequest(model=res.Model(name="flight-delay", owner="x")))
    assert (other.kind, other.reason) == (Kind.ALREADY_EXISTS, "MODEL_EXISTS")
    missing = await refused(wire, "GetModel", pb.GetModelRequest(name="none"))
    assert (missing.kind, missing.reason, missing.facts) == (Kind.NOT_FOUND, "MODEL_NOT_FOUND", {"model": "none"})


async def test_models_are_listed_in_pages_without_gap_or_double(wire: Any) -> None:
    names = [f"m-{n:02}" for n in range(7)]
    for name in reversed(names):
        await wire.call("CreateModel", pb.CreateModelRequest(model=res.Model(name=name, owner="dock")))
    seen: list[str] = []
    token = ""
    while True:
        page = await wire.call("ListModels", pb.ListModelsRequest(page_size=3, page_token=token))
        seen += [model.name for model in page.models]
        token = page.next_page_token
        if not token:
            break
        assert len(page.models) == 3
    assert seen == names


async def test_a_version_is_registered_once_per_request_and_numbered(wire: Any, drafted: Any) -> None:
    await wire.call("CreateModel", pb.CreateModelRequest(model=MODEL))
    artifact = await wire.artifact(b"network")
    body = drafted("flight-delay", artifact.digest, number=99)
    request = pb.CreateModelVersionRequest(request_id="r1", version=body)
    first = (await wire.call("CreateModelVersion", request)).version
    assert (await wire.call("CreateModelVersion", request)).version == first
    assert first.number == 1
    assert first.artifact == res.Artifact(digest=artifact.digest, size_bytes=7)
    assert first.signature == body.signature
    assert first.lineage == body.lineage
    assert dict(first.metrics) == {"auc": 0.75}

    body.metrics["auc"] = 0.5
    reused = await refused(wire, "CreateModelVersion", pb.CreateModelVersionRequest(request_id="r1", version=body))
    assert (reused.kind, reused.reason) == (Kind.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    second = await wire.call("CreateModelVersion", pb.CreateModelVersionRequest(request_id="r2", version=body))
    assert second.version.number == 2

    by_number = pb.GetModelVersionRequest(model="flight-delay", number=1)
    assert (await wire.call("GetModelVersion", by_number)).version == first
    listed = await wire.call("ListModelVersions", pb.ListModelVersionsRequest(model="flight-delay", page_size=1))
    assert [version.number for version in listed.versions] == [2]
    rest = pb.ListModelVersionsRequest(model="flight-delay", page_token=listed.next_page_token)
    assert [version.number for version in (await wire.call("ListModelVersions", rest)).versions] == [1]
    assert (await wire.call("GetModel", pb.GetModelRequest(name="flight-delay"))).model.latest_version == 2

    records = await wire.events("registry.model-version.v1", 2)
    created = [events_pb2.ModelVersionChanged.FromString(record.event.value).created for record in records]
    assert created == [first, second.version]
    assert {record.event.key for record in records} == {"flight-delay"}


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"model": "none"}, Kind.NOT_FOUND, "MODEL_NOT_FOUND"),
        ({"artifact": res.Artifact(digest="sha256:" + "0" * 64)}, Kind.FAILED_PRECONDITION, "ARTIFACT_MISSING"),
        ({"metrics": {"auc": float("nan")}}, Kind.INVALID_ARGUMENT, "INVALID_FIELD"),
        ({"signature": res.Signature()}, Kind.INVALID_ARGUMENT, "INVALID_FIELD"),
    ],
)
async def test_a_version_that_can_t_be_is_refused(
    wire: Any, drafted: Any, changes: dict[str, Any], kind: Kind, reason: str
) -> None:
    await wire.versions("flight-delay")
    artifact = await wire.artifact()
    body = drafted("flight-delay", artifact.digest, **changes)
    error = await refused(wire, "CreateModelVersion", pb.CreateModelVersionRequest(request_id="r", version=body))
    assert (error.kind, error.reason) == (kind, reason)
    listed = await wire.call("ListModelVersions", pb.ListModelVersionsRequest(model="flight-delay"))
    assert len(listed.versions) == 1


@pytest.mark.parametrize("size", [3, 2**64 - 1])
async def test_a_size_that_is_not_the_artifact_s_is_refused(wire: Any, drafted: Any, size: int) -> None:
    await wire.versions("flight-delay")
    artifact = await wire.artifact(b"four")
    body = drafted("flight-delay", "", artifact=res.Artifact(digest=artifact.digest, size_bytes=size))
    error = await refused(wire, "CreateModelVersion", pb.CreateModelVersionRequest(request_id="r", version=body))
    assert [one.field for one in error.violations] == ["version.artifact.size_bytes"]


async def test_a_version_too_large_for_an_event_is_refused_whole(wire: Any, drafted: Any) -> None:
    await wire.versions("flight-delay")
    artifact = await wire.artifact()
    body = drafted("flight-delay", artifact.digest, params={f"p{n}": "x" * 5000 for n in range(900)})
    error = await refused(wire, "CreateModelVersion", pb.CreateModelVersionRequest(request_id="r", version=body))
    assert (error.kind, error.reason) == (Kind.INVALID_ARGUMENT, "VERSION_TOO_LARGE")
    assert [one.field for one in error.violations] == ["version"]
    assert (await wire.call("GetModel", pb.GetModelRequest(name="flight-delay"))).model.latest_version == 1
