"""Triton's own client, unmodified, in its own environment: what it is told by a gateway, as one JSON object on stdout.

``theirs.py GRPC HTTP DESCRIPTORS``: two addresses, and the file of our protocol's descriptors.
"""

from __future__ import annotations

import asyncio
import json
import math
import queue
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.grpc.aio as triton_grpc_aio
import tritonclient.http as triton_http
import tritonclient.http.aio as triton_http_aio
from google.protobuf import descriptor_pb2
from tritonclient.grpc import model_config_pb2, service_pb2
from tritonclient.utils import InferenceServerException

ENDPOINT = "mixed"
TENSORS = {
    "distance": ("FP32", np.array([[1.0], [2.5]], np.float32)),
    "year": ("FP32", np.array([[np.nan], [1999.0]], np.float32)),
    "carrier": ("BYTES", np.array([["UA"], ["é"]], object)),
    "stops": ("INT64", np.array([[3], [2**62]], np.int64)),
}


def inputs(kit: Any, *, tensors: Any = TENSORS, **given: Any) -> list[Any]:
    made = []
    for name, (datatype, values) in tensors.items():
        one = kit.InferInput(name, list(values.shape), datatype)
        one.set_data_from_numpy(values, **given)
        made.append(one)
    return made


def plain(array: Any) -> Any:
    return [one.decode() if isinstance(one, bytes) else one for one in array.ravel().tolist()]


def told(result: Any) -> dict[str, Any]:
    """The outputs of an answer; NaN is told as a text, for JSON has none."""
    names = ("p", "seen_year", "seen_carrier", "seen_stops")
    found = {name: result.as_numpy(name) for name in names}
    return {
        name: [str(one) if isinstance(one, float) and math.isnan(one) else one for one in plain(array)]
        for name, array in found.items()
    }


def refusal(call: Any, *given: Any, **named: Any) -> str:
    try:
        call(*given, **named)
    except InferenceServerException as error:
        return f"{error.status()}: {error.message()}"
    return "not refused"


def asked_of(client: Any, kit: Any) -> dict[str, Any]:
    """What both transports are asked alike."""
    named = [kit.InferRequestedOutput("seen_stops"), kit.InferRequestedOutput("p", class_count=1)]
    some = client.infer(ENDPOINT, inputs(kit), outputs=named, request_id="7", priority=1, timeout=30_000_000)
    return {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": [client.is_model_ready(one) for one in (ENDPOINT, "nobody")],
        "infer": told(client.infer(ENDPOINT, inputs(kit), model_version="1")),
        "some": [plain(some.as_numpy("seen_stops")), plain(some.as_numpy("p")), some.as_numpy("seen_year") is None],
        "unknown_model": refusal(client.infer, "nobody", inputs(kit)),
        "missing_input": refusal(client.infer, ENDPOINT, inputs(kit)[1:]),
        "sequence": refusal(client.infer, ENDPOINT, inputs(kit), sequence_id=7, sequence_start=True),
        "unload_busy": refusal(client.unload_model, "busy"),
        "unload_spare": client.unload_model(ENDPOINT),
        "load": client.load_model(ENDPOINT),
        "load_override": refusal(client.load_model, ENDPOINT, config="{}"),
        "shared_memory": refusal(client.get_system_shared_memory_status),
        "trace": refusal(client.get_trace_settings),
        "log": refusal(client.get_log_settings),
    }


def over_grpc(address: str) -> dict[str, Any]:
    with triton_grpc.InferenceServerClient(address) as client:
        found = asked_of(client, triton_grpc)
        metadata = client.get_model_metadata(ENDPOINT, as_json=True)
        statistics = client.get_inference_statistics(ENDPOINT, "1", as_json=True)["model_stats"]
        answers: queue.Queue[Any] = queue.Queue()
        client.async_infer(
            ENDPOINT, inputs(triton_grpc), lambda result, error: answers.put(error or told(result)), request_id="a"
        )
        zipped = client.infer(ENDPOINT, inputs(triton_grpc), compression_algorithm="gzip")
        return found | {
            "server": client.get_server_metadata(as_json=True),
            "metadata": metadata,
            "config": client.get_model_config(ENDPOINT, as_json=True)["config"],
            "counted": statistics[0]["inference_stats"]["success"]["count"],
            "index": client.get_model_repository_index(as_json=True)["models"],
            "async": answers.get(timeout=30),
            "packed": told(zipped),
            "stream": streamed(client),
        }


def streamed(client: Any) -> dict[str, Any]:
    answers: queue.Queue[Any] = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    wrong = dict(TENSORS, distance=("FP64", np.zeros((2, 1))))
    for number in range(20):
        client.async_stream_infer(
            ENDPOINT,
            inputs(triton_grpc, tensors=wrong if number == 7 else TENSORS),
            request_id=str(number),
            enable_empty_final_response=True,
        )
    found = [answers.get(timeout=30) for _ in range(20)]
    client.stop_stream()
    good = [result.get_response() for result, error in found if error is None]
    return {
        "ids": sorted(int(one.id) for one in good),
        "final": all(one.parameters["triton_final_response"].bool_param for one in good),
        "errors": [error.message() for _, error in found if error is not None],
    }


def over_http(address: str) -> dict[str, Any]:
    with triton_http.InferenceServerClient(address, concurrency=2) as client:
        found = asked_of(client, triton_http)
        pending = client.async_infer(ENDPOINT, inputs(triton_http))
        # JSON has no NaN.
        textual = {name: one for name, one in TENSORS.items() if name != "year"}
        as_json = client.infer(
            ENDPOINT,
            inputs(triton_http, tensors=textual, binary_data=False),
            outputs=[triton_http.InferRequestedOutput(name, binary_data=False) for name in ("p", "seen_carrier")],
        )
        return found | {
            "server": client.get_server_metadata(),
            "metadata": client.get_model_metadata(ENDPOINT),
            "config": client.get_model_config(ENDPOINT),
            "counted": client.get_inference_statistics(ENDPOINT, "1")["model_stats"][0]["inference_stats"]["success"][
                "count"
            ],
            "index": client.get_model_repository_index(),
            "async": told(pending.get_result()),
            "json": [plain(as_json.as_numpy(name)) for name in ("p", "seen_carrier")],
            "packed": [
                told(client.infer(ENDPOINT, inputs(triton_http), request_compression_algorithm=one))
                for one in ("gzip", "deflate")
            ],
        }


async def in_asyncio(grpc_address: str, http_address: str) -> dict[str, Any]:
    async def requests() -> Any:
        for number in range(5):
            yield {"model_name": ENDPOINT, "inputs": inputs(triton_grpc_aio), "request_id": str(number)}

    async with triton_grpc_aio.InferenceServerClient(grpc_address) as client:
        stream = client.stream_infer(requests())
        found = {
            "grpc": told(await client.infer(ENDPOINT, inputs(triton_grpc_aio))),
            "stream": sorted([result.get_response().id async for result, error in stream if error is None]),
        }
    async with triton_http_aio.InferenceServerClient(http_address) as client:
        return found | {"http": told(await client.infer(ENDPOINT, inputs(triton_http_aio)))}


def differences(ours: descriptor_pb2.FileDescriptorSet) -> dict[str, list[str]]:
    """Where our protocol's facts differ from theirs: ``lacks`` is what only they have."""
    sets = [ours, descriptor_pb2.FileDescriptorSet()]
    for module in (service_pb2, model_config_pb2):
        module.DESCRIPTOR.CopyToProto(sets[1].file.add())
    mine, theirs = (dict(fact for file in one.file for fact in facts(file)) for one in sets)
    return {
        "differs": sorted(
            f"{name}: {fact} / {theirs.get(name)}" for name, fact in mine.items() if fact != theirs.get(name)
        ),
        "lacks": sorted(name for name in theirs.keys() - mine.keys() if name.rpartition(".")[0] in mine),
    }


def facts(file: Any) -> Any:
    for service in file.service:
        yield service.name, "service"
        for one in service.method:
            streams = (one.client_streaming, one.server_streaming)
            yield f"{service.name}.{one.name}", str((one.input_type, one.output_type, streams))
    for message in file.message_type:
        yield from facts_of(message, "")
    for enum in file.enum_type:
        yield enum.name, str([(one.name, one.number) for one in enum.value])


def facts_of(message: Any, within: str) -> Any:
    name = f"{within}{message.name}"
    yield name, "message"
    for one in message.field:
        oneof = message.oneof_decl[one.oneof_index].name if one.HasField("oneof_index") else ""
        yield f"{name}.{one.name}", str((one.number, one.label, one.type, one.type_name, oneof))
    for inner in message.nested_type:
        yield from facts_of(inner, f"{name}.")
    for enum in message.enum_type:
        yield f"{name}.{enum.name}", str([(one.name, one.number) for one in enum.value])


def main(grpc_address: str, http_address: str, descriptors: str) -> None:
    """Ask, and tell."""
    ours = descriptor_pb2.FileDescriptorSet.FromString(Path(descriptors).read_bytes())
    found = {
        "differences": differences(ours),
        "grpc": over_grpc(grpc_address),
        "http": over_http(http_address),
        "asyncio": asyncio.run(in_asyncio(grpc_address, http_address)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
