"""Triton's own client, unmodified and in a process of its own, against a real gateway."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from scripts.interop.served import Model, served
from slipway.client import ColumnSpec, DataType, Signature, TensorSpec
from slipway.gen.inference import (
    inference_pb2,
    model_config_pb2,
    repository_pb2,
    settings_pb2,
    shared_memory_pb2,
    statistics_pb2,
)

ROOT = Path(__file__).resolve().parents[2]
OURS = (inference_pb2, model_config_pb2, repository_pb2, settings_pb2, shared_memory_pb2, statistics_pb2)
SIGNATURE = Signature(
    (
        ColumnSpec("distance", DataType.FP32),
        ColumnSpec("year", DataType.FP32, True),
        ColumnSpec("carrier", DataType.BYTES, True),
        ColumnSpec("stops", DataType.INT64),
    ),
    (
        TensorSpec("p", DataType.FP32, (-1, 1)),
        TensorSpec("seen_year", DataType.FP32, (-1, 1)),
        TensorSpec("seen_carrier", DataType.BYTES, (-1, 1)),
        TensorSpec("seen_stops", DataType.INT64, (-1, 1)),
    ),
)
ANSWERED = {
    "p": [1.0, 2.5],
    "seen_year": ["nan", 1999.0],
    "seen_carrier": ["UA", "é"],
    "seen_stops": [3, 2**62],
}


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of the client's environment."""
    made = subprocess.run(
        [str(ROOT / "scripts/interop/clients"), "tritonclient"], capture_output=True, text=True, check=False
    )
    if made.returncode:
        told = f"tritonclient can't be had here: {made.stderr.strip()}"
        pytest.fail(told) if os.environ.get("CI") == "true" else pytest.skip(told)
    return f"{made.stdout.strip()}/bin/python"


@pytest.fixture(scope="module")
def found(python: str, tmp_path_factory: pytest.TempPathFactory, onnx_models: ModuleType) -> Any:
    """All that the client was told, in one run of it."""
    folder = tmp_path_factory.mktemp("triton")
    descriptors = folder / "descriptors"
    ours = FileDescriptorSet()
    for module in OURS:
        module.DESCRIPTOR.CopyToProto(ours.file.add())
    descriptors.write_bytes(ours.SerializeToString())
    models = {
        "mixed": Model(onnx_models.mixed(), SIGNATURE, versions=2),
        "busy": Model(onnx_models.mixed(), SIGNATURE),
    }
    return asyncio.run(_asked(python, folder, models, descriptors))


async def _asked(python: str, folder: Path, models: dict[str, Model], descriptors: Path) -> Any:
    async with served(folder, models) as at:
        asking = await asyncio.create_subprocess_exec(
            *(python, str(Path(__file__).with_name("theirs.py")), at.grpc, at.http, str(descriptors)),
            stdout=subprocess.PIPE,
        )
        said, _ = await asking.communicate()
        assert asking.returncode == 0
        return json.loads(said)


def test_our_protocol_has_the_published_names_and_numbers(found: Any) -> None:
    assert found["differences"]["differs"] == []
    # Of a model's configuration we have what we fill.
    assert {one.partition(".")[0] for one in found["differences"]["lacks"]} <= {
        "ModelConfig",
        "ModelDynamicBatching",
        "ModelInput",
        "ModelInstanceGroup",
        "ModelOutput",
        "ModelVersionPolicy",
    }


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_it_is_answered(found: Any, transport: str) -> None:
    told = found[transport]
    assert (told["live"], told["ready"], told["model_ready"]) == (True, True, [True, False])
    assert told["infer"] == told["async"] == ANSWERED
    assert told["some"] == [[3, 2**62], ["1.000000:0", "2.500000:0"], True]
    assert int(told["counted"]) >= 2
    assert {"statistics", "binary_tensor_data"} <= set(told["server"]["extensions"])


@pytest.mark.parametrize("transport", ["grpc", "http"])
def test_it_is_told_what_is_served(found: Any, transport: str) -> None:
    told = found[transport]
    assert [one["name"] for one in told["metadata"]["inputs"]] == ["distance", "year", "carrier", "stops"]
    assert [int(one) for one in told["metadata"]["inputs"][0]["shape"]] == [-1, 1]
    assert (told["config"]["max_batch_size"], told["config"]["input"][2]["data_type"]) == (4096, "TYPE_STRING")
    assert {(one["name"], one["version"], one["state"]) for one in told["index"]} == {
        ("busy", "1", "READY"),
        ("mixed", "1", "READY"),
        ("mixed", "2", "READY"),  # unloaded and loaded again
    }


@pytest.mark.parametrize("transport", ["grpc", "http"])
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("unknown_model", "no endpoint 'nobody'"),
        ("missing_input", "inputs[distance]"),
        ("sequence", "parameters[sequence_id]"),
        ("unload_busy", "set its arm's weight to 0"),
        ("load_override", "come from the registry alone"),
        ("shared_memory", "send them in the message"),
        ("trace", "OpenTelemetry"),
        ("log", "log_level"),
    ],
)
def test_it_is_refused_in_words(found: Any, transport: str, what: str, said: str) -> None:
    assert said in found[transport][what]


def test_packed_messages_are_taken(found: Any) -> None:
    assert found["grpc"]["packed"] == ANSWERED
    assert found["http"]["packed"] == [ANSWERED, ANSWERED]
    assert found["http"]["json"] == [[1.0, 2.5], ["UA", "é"]]


def test_its_stream_has_every_answer_and_the_one_error(found: Any) -> None:
    stream = found["grpc"]["stream"]
    assert (stream["ids"], stream["final"]) == ([n for n in range(20) if n != 7], True)
    assert ["inputs[0].datatype" in one for one in stream["errors"]] == [True]


def test_its_asyncio_clients_are_answered(found: Any) -> None:
    assert found["asyncio"] == {"grpc": ANSWERED, "http": ANSWERED, "stream": ["0", "1", "2", "3", "4"]}
