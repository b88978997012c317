"""Why: what each column did to an answer, by a linear model whose columns do what their weights say."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from services.inference_gateway.cli import main
from slipway.client import Baseline, ColumnSpec, DataType, FeatureBaseline, Signature, TensorSpec
from slipway.errors import Kind, SlipwayError
from slipway.gen.slipway.inference.v1 import inference_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")

WEIGHTS = {"a": 2.0, "b": -3.0, "c": 0.5}
TAKES = Signature(
    tuple(ColumnSpec(name, DataType.FP32) for name in WEIGHTS), (TensorSpec("y", DataType.FP32, (-1, 1)),)
)
TOLD = Baseline(
    (
        FeatureBaseline("a", edges=(0.0, 10.0, 20.0), counts=(1, 5, 1, 0)),  # the middle of the median's bin is 5
        FeatureBaseline("b", edges=(4.0,), counts=(9, 1)),  # the bin is open: its edge is 4
    )
)


async def serve(served: Any, model: str, artifact: bytes, takes: Signature, baseline: Baseline | None) -> None:
    """An endpoint of the model's name."""
    await served.client.registry.create_model(model, owner="dock")
    uploaded = await served.client.registry.upload_artifact(artifact)
    made = await served.client.registry.register_version(model, uploaded, takes, baseline=baseline)
    await served.route(model, ("main", made.number, 1), model=model)
    await served.ready(model, made.number)


async def test_a_linear_model_is_explained_exactly_and_the_log_has_the_answer_alone(
    served: Any, onnx_models: ModuleType
) -> None:
    await serve(served, "linear", onnx_models.linear(list(WEIGHTS.values())), TAKES, TOLD)
    rows = [{"a": 7.0, "b": 4.0, "c": 1.0}, {"a": 1.0, "b": 6.0, "c": 2.0}]
    first, second = await served.client.inference.predict("linear", rows, explain=True, prediction_ids=["x", "y"])
    assert (first.outputs["y"], second.outputs["y"]) == ((2.5,), (-15.0,))
    assert first.attributions == {"a": (4.0,), "b": (0.0,)}  # c: the baseline says nothing of it
    assert second.attributions == {"a": (-8.0,), "b": (-6.0,)}
    [again] = await served.client.inference.predict("linear", rows[:1], explain=True, prediction_ids=["x"])
    assert (again.replayed, again.outputs, again.attributions) == (True, first.outputs, {})
    [plain] = await served.client.inference.predict("linear", rows[:1])
    assert plain.attributions == {}
    asked = [{"a": n, "b": 4.0, "c": 0.0} for n in range(300)]
    many = await served.client.inference.predict("linear", asked, explain=True)
    assert [one.attributions["a"] for one in many] == [(2.0 * (n - 5.0),) for n in range(300)]
    batches = await served.logged("linear", 303)
    assert sum(len(one.prediction_ids) for one in batches) == 303


async def test_texts_and_whole_numbers_have_a_typical_value_too(served: Any, onnx_models: ModuleType) -> None:
    baseline = Baseline(
        (
            FeatureBaseline("distance", edges=(0.0, 1.0), counts=(0, 3, 0)),
            FeatureBaseline("carrier", categories=("UA", "AA"), counts=(1, 5, 9)),
            FeatureBaseline("stops", edges=(0.0, 1.0), counts=(0, 1, 2)),
        )
    )
    await serve(served, "mixed", onnx_models.mixed(1.0), served.signature(), baseline)
    asked = ["predict", "mixed", "--explain", "--json", "--address", served.address]
    asked += ["-f", "distance=3.5", "-f", "carrier=UA", "-f", "stops=2"]
    ended = await asyncio.to_thread(CliRunner().invoke, main, asked)
    assert ended.exit_code == 0, ended.stderr
    assert json.loads(ended.output)["attributions"] == {"distance": [3.0], "carrier": [0.0], "stops": [0.0]}


async def test_a_burst_of_explanations_waits_for_predictions(
    served: Any, onnx_models: ModuleType, eventually: Any
) -> None:
    await serve(served, "busy", onnx_models.linear(list(WEIGHTS.values())), TAKES, TOLD)
    pid = (await served.status("busy")).routes[0].worker_pid
    explained: list[int] = []

    async def explain(number: int) -> None:
        rows = [{"a": 7.0, "b": 4.0, "c": 1.0}] * 200  # a slice a column
        await served.client.inference.predict("busy", rows, explain=True)
        explained.append(number)

    async def waiting() -> int:
        told = await served.call("GetStatistics", inference_pb2.GetStatisticsRequest())
        [version] = [one for one in told.versions if one.model == "busy"]
        return int(version.waiting_rows)

    async def many_wait() -> bool:
        return await waiting() > 200 * 10

    bursts: list[asyncio.Task[None]] = []
    while True:  # until so many slices wait that the worker could be stopped over them
        bursts += [asyncio.create_task(explain(number)) for number in range(60)]
        await eventually(many_wait)
        os.kill(pid, signal.SIGSTOP)
        if await many_wait():
            break
        os.kill(pid, signal.SIGCONT)
    try:
        behind, before = await waiting(), len(explained)
        asked = [served.client.inference.predict("busy", [{"a": n, "b": 4.0, "c": 0.0}]) for n in range(10)]
        asking = asyncio.gather(*asked)

        async def all_are_in() -> bool:
            tenants = (await served.call("ListTenants", inference_pb2.ListTenantsRequest())).tenants
            return sum(one.in_flight for one in tenants) == len(bursts) - before + len(asked)

        await eventually(all_are_in)
    finally:
        os.kill(pid, signal.SIGCONT)
    await asking
    assert len(explained) - before < behind // 400  # half of what waited longer
    await asyncio.gather(*bursts)


async def test_what_can_not_be_explained_is_refused(served: Any) -> None:
    with pytest.raises(SlipwayError, match="m/1 can't be explained: it was registered without a baseline") as refused:
        await served.client.inference.predict("late", [served.row], explain=True)
    assert (refused.value.kind, refused.value.reason) == (Kind.FAILED_PRECONDITION, "NOT_EXPLAINABLE")
