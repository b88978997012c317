"""What Triton's protocol has beyond the six core calls, and the parameters of requests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from slipway.client import ColumnSpec, DataType, Signature, TensorSpec
from slipway.errors import Kind, SlipwayError
from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.inference import model_config_pb2 as config_pb
from slipway.gen.inference import repository_pb2, settings_pb2, shared_memory_pb2, statistics_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")
SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"]


def ask(*distances: float, model: str = "late", **parameters: Any) -> pb.ModelInferRequest:
    """A row a distance; parameters by name, each a (field, value)."""
    request = pb.ModelInferRequest(model_name=model)
    rows = len(distances)
    request.inputs.add(name="distance", datatype="FP32", shape=[rows]).contents.fp32_contents.extend(distances)
    request.inputs.add(name="stops", datatype="INT64", shape=[rows]).contents.int64_contents.extend([2] * rows)
    for name, (field, value) in parameters.items():
        setattr(request.parameters[name], field, value)
    return request


async def call(served: Any, method: str, request: Any) -> Any:
    return await served.call(method, request, SERVICE)


async def refused(served: Any, method: str, request: Any) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        await call(served, method, request)
    return caught.value


async def test_the_server_names_its_extensions(served: Any) -> None:
    metadata = await call(served, "ServerMetadata", pb.ServerMetadataRequest())
    assert {"statistics", "model_repository", "classification"} <= set(metadata.extensions)
    assert not {"system_shared_memory", "cuda_shared_memory", "trace", "logging", "sequence"} & set(metadata.extensions)


async def test_the_configuration_fits_the_metadata(served: Any) -> None:
    config = (await call(served, "ModelConfig", config_pb.ModelConfigRequest(name="late"))).config
    metadata = await call(served, "ModelMetadata", pb.ModelMetadataRequest(name="late"))
    assert config.max_batch_size == 4096
    assert [(one.name, [-1, *one.dims]) for one in config.input] == [
        (one.name, list(one.shape)) for one in metadata.inputs
    ]
    assert [one.name for one in config.input if one.optional] == ["year", "carrier"]
    assert [config_pb.DataType.Name(one.data_type) for one in config.input] == [
        "TYPE_FP32", "TYPE_FP32", "TYPE_STRING", "TYPE_INT64"
    ]  # fmt: skip
    assert [(one.name, [-1, *one.dims]) for one in config.output] == [
        (one.name, list(one.shape)) for one in metadata.outputs
    ]
    assert list(config.version_policy.specific.versions) == [1]
    assert [(one.count, one.kind) for one in config.instance_group] == [(1, config_pb.ModelInstanceGroup.KIND_CPU)]
    error = await refused(served, "ModelConfig", config_pb.ModelConfigRequest(name="nobody"))
    assert error.kind is Kind.NOT_FOUND


async def statistics(served: Any, name: str) -> Any:
    [told] = (await call(served, "ModelStatistics", statistics_pb2.ModelStatisticsRequest(name=name))).model_stats
    return told


async def test_statistics_count_rows_requests_and_runs(served: Any) -> None:
    number = await served.standing("counted")
    assert (await statistics(served, "counted")).inference_count == 0
    for rows in (1, 1, 3):
        await call(served, "ModelInfer", ask(*[1.0] * rows, model="counted"))
    assert (await refused(served, "ModelInfer", ask(np.nan, model="counted"))).kind is Kind.INVALID_ARGUMENT
    told = await statistics(served, "counted")
    assert (told.name, told.version, told.inference_count, told.execution_count) == ("counted", str(number), 5, 3)
    assert (told.inference_stats.success.count, told.inference_stats.fail.count) == (3, 0)
    assert told.inference_stats.success.ns >= told.inference_stats.compute_infer.ns > 0
    parts = [getattr(told.inference_stats, one) for one in ("compute_input", "compute_infer", "compute_output")]
    assert [one.count for one in parts] == [3, 3, 3]
    assert all(one.ns > 0 for one in parts)
    assert told.inference_stats.success.ns >= told.inference_stats.queue.ns + sum(one.ns for one in parts)
    assert all(one.compute_input.ns and one.compute_output.ns for one in told.batch_stats)
    assert {one.batch_size: one.compute_infer.count for one in told.batch_stats} == {1: 2, 3: 1}
    assert told.last_inference > 1_600_000_000_000
    every = await call(served, "ModelStatistics", statistics_pb2.ModelStatisticsRequest())
    assert {"counted", "late"} <= {one.name for one in every.model_stats}
    unknown = statistics_pb2.ModelStatisticsRequest(name="counted", version="77")
    assert (await refused(served, "ModelStatistics", unknown)).reason == "VERSION_NOT_SERVED"


async def test_statistics_count_what_the_model_failed_on(served: Any) -> None:
    takes = Signature((ColumnSpec("x", DataType.INT64),), (TensorSpec("y", DataType.FP32, (-1,)),))
    number = await served.register(artifact=served.models.brittle(), takes=takes)
    await served.route("brittle", ("main", number, 1))
    await served.ready("brittle", number)
    request = pb.ModelInferRequest(model_name="brittle")
    request.inputs.add(name="x", datatype="INT64", shape=[1]).contents.int64_contents.append(7)
    assert (await refused(served, "ModelInfer", request)).reason == "MODEL_FAILED"
    told = await statistics(served, "brittle")
    assert (told.inference_stats.fail.count, told.inference_stats.success.count, told.execution_count) == (1, 0, 0)
    assert told.inference_stats.fail.ns > 0


async def test_the_largest_values_are_told_as_classes(served: Any) -> None:
    request = ask(0.25, 7.5)
    request.outputs.add(name="p").parameters["classification"].int64_param = 3
    request.outputs.add(name="seen_stops").parameters["classification"].int64_param = 1
    answer = await call(served, "ModelInfer", request)
    assert [(one.datatype, list(one.shape)) for one in answer.outputs] == [("BYTES", [2, 1])] * 2
    assert answer.raw_output_contents[0] == b"\x0a\0\0\x000.250000:0\x0a\0\0\x007.500000:0"
    assert answer.raw_output_contents[1] == b"\x03\0\0\x002:0" * 2
    request = ask(1.0)
    request.outputs.add(name="seen_carrier").parameters["classification"].int64_param = 1
    error = await refused(served, "ModelInfer", request)
    assert error.violations[0].field == "outputs[0].parameters[classification]"


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"sequence_id": ("int64_param", 7)}, "parameters[sequence_id]"),
        ({"sequence_id": ("string_param", "a")}, "parameters[sequence_id]"),
        ({"sequence_start": ("bool_param", True)}, "parameters[sequence_start]"),
        ({"timeout": ("int64_param", -1)}, "parameters[timeout]"),
        ({"timeout": ("string_param", "1")}, "parameters[timeout]"),
        ({"priority": ("double_param", 1.5)}, "parameters[priority]"),
        ({"priority": ("int64_param", -1)}, "parameters[priority]"),
    ],
)
async def test_a_parameter_that_cant_be_honoured_is_refused(
    served: Any, parameters: dict[str, Any], field: str
) -> None:
    error = await refused(served, "ModelInfer", ask(1.0, **parameters))
    assert (error.kind, error.violations[0].field) == (Kind.INVALID_ARGUMENT, field)


async def test_other_parameters_are_taken_or_ignored(served: Any) -> None:
    request = ask(
        1.0,
        sequence_id=("int64_param", 0),
        sequence_end=("bool_param", False),
        priority=("uint64_param", 2**64 - 1),
        timeout=("int64_param", 30_000_000),
        made_up=("string_param", "x"),
    )
    assert (await call(served, "ModelInfer", request)).model_version == "1"


async def test_a_time_out_that_cant_be_met_is_a_deadline(served: Any) -> None:
    error = await refused(served, "ModelInfer", ask(1.0, timeout=("uint64_param", 1)))
    assert error.kind is Kind.DEADLINE_EXCEEDED


async def test_tensors_in_shared_memory_are_refused(served: Any) -> None:
    request = ask(1.0)
    request.inputs[0].parameters["shared_memory_region"].string_param = "mine"
    error = await refused(served, "ModelInfer", request)
    assert error.violations[0].field == "inputs[0].parameters[shared_memory_region]"


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("SystemSharedMemoryStatus", shared_memory_pb2.SystemSharedMemoryStatusRequest()),
        ("SystemSharedMemoryRegister", shared_memory_pb2.SystemSharedMemoryRegisterRequest(name="a")),
        ("SystemSharedMemoryUnregister", shared_memory_pb2.SystemSharedMemoryUnregisterRequest()),
        ("CudaSharedMemoryStatus", shared_memory_pb2.CudaSharedMemoryStatusRequest()),
        ("CudaSharedMemoryRegister", shared_memory_pb2.CudaSharedMemoryRegisterRequest(name="a")),
        ("CudaSharedMemoryUnregister", shared_memory_pb2.CudaSharedMemoryUnregisterRequest()),
        ("TraceSetting", settings_pb2.TraceSettingRequest()),
        ("LogSettings", settings_pb2.LogSettingsRequest()),
    ],
)
async def test_what_is_not_served_says_why(served: Any, method: str, request_: Any) -> None:
    error = await refused(served, method, request_)
    assert (error.kind, error.reason) == (Kind.UNIMPLEMENTED, "NOT_SERVED")
    assert ";" in error.message


async def index(served: Any, name: str) -> dict[str, tuple[str, str]]:
    found = await call(served, "RepositoryIndex", repository_pb2.RepositoryIndexRequest())
    return {one.version: (one.state, one.reason) for one in found.models if one.name == name}


async def test_a_version_without_traffic_is_unloaded_and_loaded_again(served: Any) -> None:
    main, idle = await served.register(0.0), await served.register(1.0)
    await served.route("spare", ("main", main, 1), ("idle", idle, 0))
    await served.ready("spare", main, idle)
    assert await index(served, "spare") == {str(main): ("READY", ""), str(idle): ("READY", "")}

    unload = repository_pb2.RepositoryModelUnloadRequest(model_name="spare")
    await call(served, "RepositoryModelUnload", unload)
    found = await index(served, "spare")
    assert (found[str(main)][0], found[str(idle)][0]) == ("READY", "UNAVAILABLE")
    assert "unloaded on demand" in found[str(idle)][1]
    only = await call(served, "RepositoryIndex", repository_pb2.RepositoryIndexRequest(ready=True))
    assert [one.version for one in only.models if one.name == "spare"] == [str(main)]
    ready = pb.ModelReadyRequest(name="spare", version=str(idle))
    assert not (await call(served, "ModelReady", ready)).ready

    unload.parameters["version"].int64_param = main
    error = await refused(served, "RepositoryModelUnload", unload)
    assert (error.kind, error.reason) == (Kind.FAILED_PRECONDITION, "VERSION_TAKES_TRAFFIC")
    assert "weight to 0" in error.message

    await call(served, "RepositoryModelLoad", repository_pb2.RepositoryModelLoadRequest(model_name="spare"))
    assert (await call(served, "ModelReady", ready)).ready


async def test_an_unloaded_version_comes_back_with_traffic(served: Any) -> None:
    main, idle = await served.register(0.0), await served.register(1.0)
    await served.route("back", ("main", main, 1), ("idle", idle, 0))
    await served.ready("back", main, idle)
    await call(served, "RepositoryModelUnload", repository_pb2.RepositoryModelUnloadRequest(model_name="back"))
    await served.route("back", ("main", main, 0), ("idle", idle, 1))
    await served.ready("back", main, idle)
    assert np.frombuffer((await call(served, "ModelInfer", ask(1.0, model="back"))).raw_output_contents[0], "f4") == 2.0


async def test_a_version_that_failed_is_tried_again_on_demand(served: Any) -> None:
    broken = await served.register(artifact=b"no model")
    await served.route("broken", ("main", broken, 1))
    load = repository_pb2.RepositoryModelLoadRequest(model_name="broken")
    await served.until("broken", lambda arms: bool(arms[0].reason))
    error = await refused(served, "RepositoryModelLoad", load)
    assert error.kind is Kind.UNAVAILABLE
    assert (await index(served, "broken"))[str(broken)][0] == "UNAVAILABLE"


@pytest.mark.parametrize(
    ("request_", "kind", "said"),
    [
        ({"model_name": "nobody"}, Kind.NOT_FOUND, "nobody"),
        ({"model_name": ""}, Kind.INVALID_ARGUMENT, "model_name"),
        ({"model_name": "late", "repository_name": "mine"}, Kind.NOT_FOUND, "mine"),
        ({"model_name": "late", "parameters": {"version": {"string_param": "77"}}}, Kind.NOT_FOUND, "77"),
        ({"model_name": "late", "parameters": {"version": {"bool_param": True}}}, Kind.INVALID_ARGUMENT, "version"),
        ({"model_name": "late", "parameters": {"config": {"string_param": "{}"}}}, Kind.INVALID_ARGUMENT, "registry"),
        ({"model_name": "late", "parameters": {"file:1/m": {"bytes_param": b"x"}}}, Kind.INVALID_ARGUMENT, "registry"),
    ],
)
async def test_a_wrong_load_is_refused(served: Any, request_: dict[str, Any], kind: Kind, said: str) -> None:
    error = await refused(served, "RepositoryModelLoad", repository_pb2.RepositoryModelLoadRequest(**request_))
    assert (error.kind, said in error.message) == (kind, True)
