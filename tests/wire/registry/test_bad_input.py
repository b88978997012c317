"""Every method of the contract, found by its descriptor, against everything that a confused caller sends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2

from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

SERVICE = pb.DESCRIPTOR.services_by_name["RegistryService"]
METHODS = list(SERVICE.methods)
# What asks for nothing in particular is a fair question.
EMPTY_IS_FINE = {"ListModels", "ListEndpoints", "WatchEndpoints"}
FREE_TEXT = {"subscriber", "description", "owner", "source", "revision", "workflow", "run_id", "reason"}

JUNK = [b"\xff", b"\xff\xff\xff\xff", b"\x08", b"\x0a\x05ab", b"\x0a\x02\xc3\x28", b"\x00" * 64, bytes(range(256)) * 40]
TRAVERSALS = [
    "../../etc/passwd",
    "..",
    ".",
    "/etc/passwd",
    "..\\..\\windows",
    "%2e%2e%2f",
    "sha256:../../../etc/passwd",
    "sha256:" + "../" * 21 + "e",
    "a/../b",
    "a\x00b",
    "~root",
    "C:\\",
    "\u2025/\u2025",
]
NAMES = [*TRAVERSALS, "", " ", "UPPER", "1st", "a b", "é", "a" * 129, "x" * 100_000, "a\n", "'; drop table model; --"]
TOKENS = [
    "!",
    "é",
    "bm90anNvbg==",
    "W10=",
    "W251bGxd",
    "W3RydWVd",
    "WyJhIiwgImIiXQ==",
    "WzEuNV0=",
    "WyJcdWQ4MDAiXQ==",
    "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTldd",
    "W1tbW1tb" * 200,
    "W1tbW1tb" * 100_000,
]


async def outcome(wire: Any, method: MethodDescriptor, data: bytes) -> SlipwayError | None:
    """What the first answer to ``data`` is: None for a good one."""
    try:
        if method.client_streaming:
            await wire.upload(data)
        elif method.server_streaming:
            async with aclosing(wire.stream(method.name, data)) as answers:
                await anext(answers, None)
        else:
            await wire.send(method.name, data)
    except SlipwayError as error:
        return error
    return None


def explained(error: SlipwayError | None, *kinds: Kind) -> SlipwayError:
    """The error, which has one of ``kinds``, ErrorInfo, and the fields when it is about the input."""
    assert error is not None
    assert error.kind in kinds, error
    assert error.reason not in {"", error.kind.name}
    if error.kind is Kind.INVALID_ARGUMENT:
        assert error.violations, error
        assert all(one.field and one.description for one in error.violations)
    assert "Traceback" not in error.message
    return error


async def healthy(wire: Any) -> bool:
    answer = await wire.send("Check", b"", "grpc.health.v1.Health")
    return bool(health_pb2.HealthCheckResponse.FromString(answer).status == health_pb2.HealthCheckResponse.SERVING)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_junk_bytes_are_an_invalid_argument(wire: Any, method: MethodDescriptor) -> None:
    parse = GetMessageClass(method.input_type).FromString
    for data in JUNK:
        try:
            parse(data)
        except Exception:
            error = explained(await outcome(wire, method, data), Kind.INVALID_ARGUMENT)
            assert error.reason == "MALFORMED_MESSAGE"
            assert error.facts == {"expected": method.input_type.full_name}
    assert await healthy(wire)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_an_empty_message_is_answered_or_explained(wire: Any, method: MethodDescriptor) -> None:
    error = await outcome(wire, method, b"")
    if method.name in EMPTY_IS_FINE:
        assert error is None
    else:
        explained(error, Kind.INVALID_ARGUMENT)
    assert await healthy(wire)


def named(field: FieldDescriptor) -> bool:
    return field.type == field.TYPE_STRING and not field.is_repeated and field.name not in FREE_TEXT


def texts(descriptor: Descriptor, path: tuple[FieldDescriptor, ...] = ()) -> Iterator[tuple[FieldDescriptor, ...]]:
    """The path of every text field that is a name, a digest, a token or a request id."""
    for field in descriptor.fields:
        if field.message_type and not field.message_type.GetOptions().map_entry and len(path) < 3:
            if field.message_type.full_name.startswith("slipway."):
                yield from texts(field.message_type, (*path, field))
        elif named(field) and "lineage" not in [f.name for f in path]:
            yield (*path, field)


def put(message: Message, path: tuple[FieldDescriptor, ...], value: Any) -> Message:
    """``message`` with ``value`` at the end of ``path``; the first element where a field repeats."""
    at: Any = message
    for field in path[:-1]:
        at = getattr(at, field.name)
        if field.is_repeated:
            at = at[0] if at else at.add()
        elif not at.ByteSize():
            at.SetInParent()
    setattr(at, path[-1].name, value)
    return message


async def good(wire: Any, drafted: Any) -> dict[str, Message]:
    """A request of each method that would be answered."""
    await wire.versions("m")
    digest = (await wire.artifact()).digest
    await wire.call("SetAlias", pb.SetAliasRequest(model="m", alias="champion", version=1))
    following = res.Route(name="main", model="m", alias="champion", weight=1)
    endpoint = res.Endpoint(name="e", routes=[res.Route(name="main", model="m", version=1, weight=1)])
    await wire.call("PutEndpoint", pb.PutEndpointRequest(endpoint=endpoint))
    await wire.call("PutEndpoint", pb.PutEndpointRequest(endpoint=res.Endpoint(name="a", routes=[following])))
    whole = res.Endpoint(
        name="w",
        routes=[res.Route(name=name, model="m", version=1, weight=1) for name in ("main", "other")],
        fallback=res.Fallback(version=res.FallbackVersion(model="m", version=1)),
        experiment=res.Experiment(name="x", arms=["main", "other"], salt="s"),
    )
    version = drafted("m", digest)
    version.signature.inputs[0].feature = "plane:distance"
    version.signature.entities.add(name="plane", datatype=res.DATA_TYPE_BYTES)
    version.baseline.features.add(name="distance", edges=[1.0], counts=[1, 2])
    return {
        "CreateModel": pb.CreateModelRequest(model=res.Model(name="m", owner="dock")),
        "GetModel": pb.GetModelRequest(name="m"),
        "ListModels": pb.ListModelsRequest(),
        "UploadArtifact": pb.UploadArtifactRequest(chunk=b"onnx"),
        "DownloadArtifact": pb.DownloadArtifactRequest(digest=digest),
        "CreateModelVersion": pb.CreateModelVersionRequest(request_id="r", version=version),
        "GetModelVersion": pb.GetModelVersionRequest(model="m", number=1),
        "ListModelVersions": pb.ListModelVersionsRequest(model="m"),
        "SetAlias": pb.SetAliasRequest(model="m", alias="champion", version=1),
        "DeleteAlias": pb.DeleteAliasRequest(model="m", alias="spare"),
        "PutEndpoint": pb.PutEndpointRequest(endpoint=whole),
        "GetEndpoint": pb.GetEndpointRequest(name="e"),
        "ListEndpoints": pb.ListEndpointsRequest(),
        "DeleteEndpoint": pb.DeleteEndpointRequest(name="spare"),
        "WatchEndpoints": pb.WatchEndpointsRequest(),
        "StartRollout": pb.StartRolloutRequest(
            request_id="r", endpoint="a", version=2, plan=res.RolloutPlan(kind=res.ROLLOUT_KIND_AB)
        ),
        "CancelRollout": pb.CancelRolloutRequest(endpoint="a", rollout_id="r"),
        "ListRollouts": pb.ListRolloutsRequest(endpoint="a"),
        "RollBackEndpoint": pb.RollBackEndpointRequest(endpoint="a"),
        "ListEndpointRevisions": pb.ListEndpointRevisionsRequest(endpoint="a"),
    }


def optional_when_empty(method: str, path: tuple[FieldDescriptor, ...]) -> bool:
    if (
        path[-1].name in {"page_token", "expected_digest", "salt", "experiment"}
        or path[-1].containing_oneof is not None
    ):
        return True
    return path[-1].name == "model" and len(path) > 2 and path[-3].name == "fallback"


def set_by_the_registry(path: tuple[FieldDescriptor, ...]) -> bool:
    return not {"aliases", "rollout", "resolved_model", "typical_text"}.isdisjoint(field.name for field in path)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_a_bad_name_digest_token_or_key_is_refused_by_its_field(
    wire: Any, drafted: Any, method: MethodDescriptor
) -> None:
    requests = await good(wire, drafted)
    for path in texts(method.input_type):
        if set_by_the_registry(path):
            continue
        corpus = TOKENS if path[-1].name == "page_token" else NAMES
        for value in corpus:
            if (not value and optional_when_empty(method.name, path)) or fine(path, value):
                continue
            message = put(
                type(requests[method.name]).FromString(requests[method.name].SerializeToString()), path, value
            )
            error = explained(await outcome(wire, method, message.SerializeToString()), Kind.INVALID_ARGUMENT)
            assert path[-1].name in error.violations[0].field, (path[-1].name, value, error.violations)
    assert await healthy(wire)


def fine(path: tuple[FieldDescriptor, ...], value: str) -> bool:
    """Whether a field's own rule allows what is a bad name elsewhere."""
    field = path[-1].name
    if field in {"request_id", "salt"}:
        return value.isascii() and value.isprintable() and " " not in value and 0 < len(value) <= 128
    if field == "feature":
        return not value
    column = len(path) > 2 and path[-2].name in {"inputs", "outputs", "entities"}
    return column and value == "UPPER"


def test_the_corpus_reaches_every_named_thing() -> None:
    reached = {".".join(field.name for field in path) for method in METHODS for path in texts(method.input_type)}
    assert reached >= {
        "model.name",
        "name",
        "model",
        "alias",
        "digest",
        "expected_digest",
        "request_id",
        "page_token",
        "version.model",
        "version.artifact.digest",
        "version.signature.inputs.name",
        "version.signature.outputs.name",
        "endpoint.name",
        "endpoint.routes.name",
        "endpoint.routes.model",
        "endpoint.routes.alias",
        "endpoint.fallback.version.model",
        "endpoint.experiment.name",
        "endpoint.experiment.salt",
        "plan.experiment",
        "version.signature.inputs.feature",
        "version.signature.entities.name",
        "version.baseline.features.name",
        "endpoint",
        "rollout_id",
    }


@pytest.mark.parametrize("method", [m for m in METHODS if m.name.startswith("List")], ids=lambda method: method.name)
@pytest.mark.parametrize("size", [-1, 501, 10**9, -(2**31)])
async def test_a_page_size_out_of_range_is_refused(wire: Any, method: MethodDescriptor, size: int) -> None:
    request: Any = GetMessageClass(method.input_type)()
    request.page_size = size
    for name in {"model", "endpoint"} & set(method.input_type.fields_by_name):
        setattr(request, name, "m")
    error = explained(await outcome(wire, method, request.SerializeToString()), Kind.INVALID_ARGUMENT)
    assert [one.field for one in error.violations] == ["page_size"]


async def test_a_hundred_confused_callers_at_once_leave_a_healthy_server(wire: Any) -> None:
    calls = [outcome(wire, method, data) for method in METHODS for data in JUNK]
    for error in await asyncio.gather(*calls):
        assert error is None or error.kind in {Kind.INVALID_ARGUMENT, Kind.NOT_FOUND}
    assert await healthy(wire)
