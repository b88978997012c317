"""Requests of one form that come while nobody looks: answered together, and each as if it had come alone."""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import signal
import time
from collections.abc import Sequence
from typing import Any

import grpc
import numpy as np
import onnx
import pytest

from slipway.client import (
    ColumnSpec,
    DataType,
    DefaultAnswer,
    FallbackVersion,
    Route,
    Signature,
    TensorSpec,
    VersionState,
)
from slipway.errors import Kind, SlipwayError
from slipway.gen.inference import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import inference_pb2 as own_pb
from slipway.rpc import status

INFER = "/inference.GRPCInferenceService/ModelInfer"
PREDICT = "/slipway.inference.v1.InferenceService/Predict"
BRITTLE = Signature((ColumnSpec("x", DataType.INT64),), (TensorSpec("y", DataType.FP32, (-1,)),))
TYPES = {"FP32": np.float32, "INT64": np.int64}


def tensors(endpoint: str, columns: Sequence[tuple[str, str, Any]], *outputs: str) -> bytes:
    """A request whose every column is a raw tensor, [rows]."""
    request = pb.ModelInferRequest(model_name=endpoint)
    for name, datatype, values in columns:
        request.inputs.add(name=name, datatype=datatype, shape=[len(values)])
        request.raw_input_contents.append(np.array(values, TYPES[datatype]).tobytes())
    for one in outputs:
        request.outputs.add(name=one)
    return request.SerializeToString(deterministic=True)


def late(*distances: float, outputs: Sequence[str] = ("p", "seen_stops")) -> bytes:
    """As many rows of the endpoint ``late``, each of whose stops are its distance too, if that is a number."""
    stops = [0 if math.isnan(one) else int(one) for one in distances]
    return tensors("late", [("distance", "FP32", distances), ("stops", "INT64", stops)], *outputs)


def brittle(x: int) -> bytes:
    return tensors("late", [("x", "INT64", [x])])


def stand_still(seconds: float) -> None:
    """Keep the loop from looking."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        pass


class Crowd:
    """Callers in threads without Python's lock: what they send while the loop stands still came together."""

    def __init__(self, address: str, method: str = INFER, **options: Any) -> None:
        self._options = options
        self._answer = pb.ModelInferResponse if method == INFER else own_pb.PredictResponse
        self._channel = grpc.insecure_channel(address)
        self._ask = self._channel.unary_unary(method)

    def begin(self, requests: Sequence[bytes], traces: Sequence[str] = ()) -> list[Any]:
        sent: Sequence[Any] = [("traceparent", f"00-{one}-{'ab' * 8}-01") for one in traces] or [None] * len(requests)
        given, options = self._options.get("metadata", []), {**self._options}
        calls = []
        for request, trace in zip(requests, sent, strict=True):
            options["metadata"] = given if trace is None else [*given, trace]
            calls.append(self._ask.future(request, **options))
        stand_still(0.2)
        return calls

    async def told(self, calls: Sequence[Any]) -> list[Any]:
        """Each one's answer, or the error that it was told."""
        found = await asyncio.gather(*(_ended(one) for one in calls))
        return [self._answer.FromString(one) if isinstance(one, bytes) else one for one in found]

    async def ask(self, requests: Sequence[bytes]) -> list[Any]:
        """All outcomes; the first is asked before, as often as it takes until its form is known."""
        for _ in range(1 if self._answer is pb.ModelInferResponse else 3):
            await self.told(self.begin(requests[:1]))
        return await self.told(self.begin(requests))


async def _ended(call: Any) -> Any:
    """What was told; waited for in no thread of the loop's few, which servers need."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    call.add_done_callback(lambda _: loop.call_soon_threadsafe(ended.set))
    await ended.wait()
    return _told(call)


def _told(call: Any) -> bytes | SlipwayError:
    try:
        return bytes(call.result())
    except grpc.RpcError as error:
        return status.decode(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))


def column(answer: pb.ModelInferResponse, name: str) -> list[Any]:
    place = [one.name for one in answer.outputs].index(name)
    data = answer.raw_output_contents[place]
    return np.frombuffer(data, TYPES[answer.outputs[place].datatype]).tolist()


def stem(answer: pb.ModelInferResponse) -> str:
    return answer.parameters["slipway_prediction_id"].string_param


async def logged_ids(world: Any, rows: int) -> dict[str, tuple[int, float]]:
    """By prediction id, the version that answered and the row's distance as logged."""
    found: dict[str, tuple[int, float]] = {}
    for batch in await world.logged("late", rows):
        values = next(one for one in batch.features if one.name == "distance").doubles.values
        found |= {one: (batch.version, value) for one, value in zip(batch.prediction_ids, values, strict=True)}
    return found


async def logged_traces(world: Any, rows: int) -> dict[str, str]:
    """By prediction id, of requests of a row each, the trace as logged."""
    found: dict[str, str] = {}
    for batch in await world.logged("late", rows):
        found |= zip(batch.prediction_ids, batch.trace_ids or [batch.trace_id], strict=True)
    return found


@pytest.mark.parametrize("outputs", [("p", "seen_stops"), ("seen_stops",), ()], ids=["some", "one", "all, one a text"])
@pytest.mark.parametrize("rows", [1, 3])
async def test_each_gets_its_own_answer_and_is_logged_under_its_own_id(
    world: Any, rows: int, outputs: tuple[str, ...]
) -> None:
    await world.standing("late", 0.5)
    asked = [[float(100 * number + row) for row in range(rows)] for number in range(40)]
    answers = await Crowd(world.address).ask([late(*one, outputs=outputs) for one in asked])
    for one, answer in zip(asked, answers, strict=True):
        assert [each.name for each in answer.outputs] == (
            list(outputs) or ["p", "seen_year", "seen_carrier", "seen_stops"]
        )
        assert column(answer, "seen_stops") == one
        assert {tuple(each.shape) for each in answer.outputs} == {(rows, 1)}
        if "p" in outputs:
            assert column(answer, "p") == [number + 0.5 for number in one]
    logged = await logged_ids(world, rows * 41)
    told = {
        f"{stem(one)}.{row}": (1, each[row]) for each, one in zip(asked, answers, strict=True) for row in range(rows)
    }
    assert len(told) == 40 * rows
    assert told.items() <= logged.items()
    tally = (await world.client.inference.statistics()).endpoints["late"].arms["main"]
    assert (tally.request_rows.count, tally.request_rows.total) == (41, 41 * rows)
    assert tally.failed_requests == 0


async def test_each_is_logged_in_its_own_trace_though_they_be_taken_apart(world: Any) -> None:
    await world.standing("late")
    crowd, traces = Crowd(world.address), [f"{number:032x}" for number in range(1, 9)]
    await crowd.ask([late(0.0)])
    requests = [late(float(number)) for number in range(8)]
    fine = await crowd.told(crowd.begin(requests, traces))
    assert [column(one, "seen_stops") for one in fine] == [[float(number)] for number in range(8)]
    others = [f"{number:032x}" for number in range(101, 109)]
    apart = await crowd.told(crowd.begin([late(math.nan), *requests[1:]], others))
    assert isinstance(apart[0], SlipwayError)
    logged = await logged_traces(world, 2 + 8 + 7)
    assert [logged[f"{stem(one)}.0"] for one in fine] == traces
    assert [logged[f"{stem(one)}.0"] for one in apart[1:]] == others[1:]


async def test_what_is_wrong_with_one_fails_it_alone(world: Any) -> None:
    await world.standing("late")
    asked = [late(1.0, 2.0), late(3.0, math.nan), late(5.0, 6.0)]
    first, wrong, last = await Crowd(world.address).ask(asked)
    assert [column(one, "p") for one in (first, last)] == [[1.0, 2.0], [5.0, 6.0]]
    assert [one.field for one in wrong.violations] == ["inputs[distance]"]
    assert "is not a number in row 1" in str(wrong)  # as its own caller counts
    assert sorted(distance for _, distance in (await logged_ids(world, 6)).values()) == [1.0, 1.0, 2.0, 2.0, 5.0, 6.0]


async def test_what_a_model_fails_on_is_told_to_whom_it_is_of(world: Any) -> None:
    number = await world.register(artifact=world.models.brittle(), takes=BRITTLE)
    await world.route("late", ("main", number, 1))
    await world.ready("late", number)
    first, wrong, last = await Crowd(world.address).ask([brittle(1), brittle(7), brittle(2)])
    assert [column(one, "y") for one in (first, last)] == [[20.0], [30.0]]
    assert wrong.kind is Kind.FAILED_PRECONDITION or wrong.reason == "MODEL_FAILED"
    tally = (await world.client.inference.statistics()).endpoints["late"].arms["main"]
    assert (tally.request_rows.count, tally.failed_requests) == (3, 1)


@pytest.mark.parametrize(
    "fallback", [DefaultAnswer({"y": (-1.0,)}), FallbackVersion("m", 1)], ids=["answer", "version"]
)
async def test_a_fallback_stands_in_for_whom_it_has_to(world: Any, fallback: Any) -> None:
    await world.register(artifact=world.models.looping(), takes=BRITTLE)
    number = await world.register(artifact=world.models.brittle(), takes=BRITTLE)
    await world.client.registry.put_endpoint("late", [Route("main", "m", version=number, weight=1)], fallback=fallback)
    await world.ready("late", number)
    crowd = Crowd(world.address)
    async with asyncio.timeout(30):
        while any(isinstance(one, SlipwayError) for one in await crowd.ask([brittle(7)])):
            await asyncio.sleep(0.01)  # a version that stands in is loaded beside the arms
    answers = await crowd.ask([brittle(1), brittle(7), brittle(2)])
    stood_in = -1.0 if isinstance(fallback, DefaultAnswer) else 7.0
    assert [column(one, "y") for one in answers] == [[20.0], [stood_in], [30.0]]
    assert [one.parameters["slipway_fallback"].bool_param for one in answers] == [False, True, False]


async def test_a_default_answer_stands_in_for_a_version_that_is_not_there_but_for_no_wrong_row(world: Any) -> None:
    takes = Signature((ColumnSpec("x", DataType.FP32),), (TensorSpec("y", DataType.FP32, (-1,)),))
    number = await world.register(artifact=b"no model", takes=takes)
    fallback = DefaultAnswer({"y": (-1.0,)}, when_not_ready=True)
    await world.client.registry.put_endpoint("late", [Route("main", "m", version=number, weight=1)], fallback=fallback)
    await world.until("late", lambda arms: arms[0].state is VersionState.FAILED)
    asked = [tensors("late", [("x", "FP32", [x])]) for x in (1.0, 2.0, math.nan, 3.0)]
    first, second, wrong, last = await Crowd(world.address).ask(asked)
    assert [column(one, "y") for one in (first, second, last)] == [[-1.0]] * 3
    assert "is not a number in row 0" in str(wrong)


async def test_an_answer_that_can_not_be_told_is_its_callers_loss_alone(world: Any) -> None:
    lacking = onnx.load_from_string(world.models.mixed(0.5))
    for part in (lacking.graph.node, lacking.graph.output):
        kept = [one for one in part if "seen_stops" not in (one.name, *getattr(one, "output", ()))]
        del part[:]
        part.extend(kept)
    whole = world.signature()
    takes = Signature(whole.inputs, tuple(one for one in whole.outputs if one.name != "seen_stops"))
    one = await world.register(0.0)
    other = await world.register(artifact=lacking.SerializeToString(), takes=takes)
    await world.route("late", ("main", one, 50), ("candidate", other, 50))
    await world.ready("late", one, other)
    told = await Crowd(world.address).ask([late(float(number)) for number in range(40)])
    answered = [answer for answer in told if isinstance(answer, pb.ModelInferResponse)]
    assert 0 < len(answered) < 40
    assert {answer.model_version for answer in answered} == {str(one)}
    assert {error.kind for error in told if isinstance(error, SlipwayError)} == {Kind.INTERNAL}
    [tenant] = await world.client.inference.tenants()
    assert tenant.in_flight == 0


async def test_answers_that_come_as_their_callers_time_ends_are_counted_once(world: Any) -> None:
    one = await world.register(artifact=world.models.looping(), takes=BRITTLE)
    other = await world.register(artifact=world.models.looping(1), takes=BRITTLE)
    await world.route("late", ("main", one, 50), ("candidate", other, 50))
    await world.ready("late", one, other)
    crowd = Crowd(world.address, timeout=1.0)
    await crowd.ask([brittle(1)])
    calls = crowd.begin([brittle(300_000 + number) for number in range(20)])
    await asyncio.sleep(0.15)  # they go to the workers
    stand_still(1.5)  # answers and ends come meanwhile
    await crowd.told(calls)

    async def rests() -> bool:
        [tenant] = await world.client.inference.tenants()
        return bool(tenant.in_flight == 0)

    async with asyncio.timeout(30):
        while not await rests():
            await asyncio.sleep(0.01)
    for _ in range(3):
        await crowd.told(crowd.begin([brittle(number) for number in range(20)]))
        assert await rests()


async def test_no_more_rows_go_together_than_a_batch_may_have(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(batch={"max_rows": 4})
    await world.standing("late")
    answers = await Crowd(world.address).ask([late(float(number)) for number in range(20)])
    assert [column(one, "p") for one in answers] == [[number] for number in range(20)]
    [version] = (await world.client.inference.statistics()).versions.values()
    assert sum(version.batch_rows.counts[3:]) == 0  # none of more than 4


async def test_every_one_falls_to_an_arm_of_its_own(world: Any) -> None:
    one, other = await world.register(0.0), await world.register(0.5)
    await world.route("late", ("main", one, 50), ("candidate", other, 50))
    await world.ready("late", one, other)
    answers = await Crowd(world.address).ask([late(float(number), number + 0.25) for number in range(60)])
    versions = [int(answer.model_version) for answer in answers]
    assert set(versions) == {one, other}
    for number, (answer, version) in enumerate(zip(answers, versions, strict=True)):
        plus = 0.5 if version == other else 0.0
        assert column(answer, "p") == [number + plus, number + 0.25 + plus]
    logged = await logged_ids(world, 122)
    for number, (answer, version) in enumerate(zip(answers, versions, strict=True)):
        assert [logged[f"{stem(answer)}.{row}"] for row in (0, 1)] == [(version, number), (version, number + 0.25)]


async def test_they_are_answered_by_what_is_there_when_they_come(world: Any) -> None:
    await world.standing("late")
    crowd = Crowd(world.address)
    await crowd.ask([late(1.0), late(2.0)])
    other = await world.register(0.5)
    await world.route("late", ("main", other, 1))
    await world.ready("late", other)
    answers = await crowd.told(crowd.begin([late(float(number)) for number in range(20)]))
    assert [column(one, "p") for one in answers] == [[number + 0.5] for number in range(20)]
    assert {one.model_version for one in answers} == {str(other)}


async def test_a_worker_that_dies_on_them_costs_nobody_an_answer(world: Any) -> None:
    await world.standing("late")
    crowd = Crowd(world.address)
    await crowd.ask([late(1.0)])
    pid = (await world.status("late")).routes[0].worker_pid
    os.kill(pid, signal.SIGSTOP)
    calls = crowd.begin([late(float(number)) for number in range(20)])
    async with asyncio.timeout(30):
        while sum(one.running_rows for one in (await world.client.inference.statistics()).versions.values()) < 20:
            await asyncio.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    answers = await crowd.told(calls)
    assert [column(one, "p") for one in answers] == [[number] for number in range(20)]
    assert len(await logged_ids(world, 22)) == 22


async def test_a_queue_takes_as_many_of_them_as_it_has_room_for(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(batch={"queue_requests": 4})
    await world.standing("late")
    crowd = Crowd(world.address)
    await crowd.ask([late(1.0)])
    pid = (await world.status("late")).routes[0].worker_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        calls = crowd.begin([late(float(number)) for number in range(20)])
        async with asyncio.timeout(30):
            while sum(one.done() for one in calls) < 16:
                await asyncio.sleep(0.01)
    finally:
        os.kill(pid, signal.SIGCONT)
    told = await crowd.told(calls)
    answered = [one for one in told if isinstance(one, pb.ModelInferResponse)]
    assert [column(one, "p") for one in answered] == [column(one, "seen_stops") for one in answered]
    assert [one.kind for one in told if isinstance(one, SlipwayError)] == [Kind.RESOURCE_EXHAUSTED] * 16
    [tenant] = await world.client.inference.tenants()
    assert (tenant.refused_requests, tenant.in_flight) == (16, 0)


async def test_a_tenant_has_its_quota_and_no_more_in_flight_than_it_may(world: Any) -> None:
    tokens = {name: f"{name}-token-0123456789" for name in ("metered", "few", "boss")}
    digests = {name: hashlib.sha256(one.encode()).hexdigest() for name, one in tokens.items()}
    given: dict[str, Any] = {name: {"token_sha256": [one]} for name, one in digests.items()}
    given["metered"] |= {"rows_per_s": 0.001, "burst_rows": 5}
    given["few"] |= {"max_in_flight": 3}
    given["boss"] |= {"operator": True}

    def crowd(name: str) -> Crowd:
        return Crowd(world.address, metadata=[("authorization", f"Bearer {tokens[name]}")])

    await world.standing("late")
    await world.stop_gateway()
    await world.start_gateway(tenants=given)
    async with asyncio.timeout(30):
        while isinstance((await crowd("boss").ask([late(1.0)]))[0], SlipwayError):
            await asyncio.sleep(0.01)
    requests = [late(float(number)) for number in range(8)]

    told = await crowd("metered").ask(requests)
    answered = [one for one in told if isinstance(one, pb.ModelInferResponse)]
    assert (len(answered), {one.reason for one in told if isinstance(one, SlipwayError)}) == (4, {"QUOTA_EXCEEDED"})
    traces, few_callers = [f"{number:032x}" for number in range(1, 9)], crowd("few")
    few = await few_callers.told(few_callers.begin(requests, traces))
    answered = [one for one in few if isinstance(one, pb.ModelInferResponse)]
    assert len(answered) == 3
    async with asyncio.timeout(30):
        while not {f"{stem(one)}.0" for one in answered} <= (logged := await logged_traces(world, 8)).keys():
            await asyncio.sleep(0.01)
    for trace, one in zip(traces, few, strict=True):
        if one in answered:
            assert column(one, "p") == column(one, "seen_stops")
            assert logged[f"{stem(one)}.0"] == trace
    assert {one.kind for one in few if isinstance(one, SlipwayError)} == {Kind.RESOURCE_EXHAUSTED}
    assert len([one for one in await crowd("boss").ask(requests) if isinstance(one, pb.ModelInferResponse)]) == 8
    [nobody] = {one.kind for one in await Crowd(world.address).ask(requests)}
    assert nobody is Kind.UNAUTHENTICATED


async def test_an_arm_that_does_not_answer_holds_up_nobody_of_another_one(world: Any) -> None:
    one, other = await world.register(0.0), await world.register(0.5)
    await world.route("late", ("main", one, 50), ("candidate", other, 50))
    arms = await world.until("late", lambda arms: all(arm.worker_pid for arm in arms))
    await world.ready("late", one, other)
    crowd = Crowd(world.address)
    await crowd.ask([late(1.0)])
    os.kill(arms[1].worker_pid, signal.SIGSTOP)
    try:
        calls = crowd.begin([late(float(number)) for number in range(40)])
        async with asyncio.timeout(8):  # before the worker is taken for dead
            while not any(call.done() for call in calls):
                await asyncio.sleep(0.01)
    finally:
        os.kill(arms[1].worker_pid, signal.SIGCONT)
    answers = await crowd.told(calls)
    assert {answer.model_version for answer in answers} == {str(one), str(other)}


async def test_requests_of_several_forms_do_not_mix(world: Any) -> None:
    await world.standing("late")
    crowd = Crowd(world.address)
    kinds = [late(1.0), late(1.0, 2.0), late(1.0, outputs=("p",))]
    for one in kinds:
        await crowd.ask([one])
    named = pb.ModelInferRequest.FromString(late(7.0))
    named.id = "mine"
    requests = [*kinds, named.SerializeToString(), *kinds, b"\x0a\x04late\x3a"]
    told = await crowd.told(crowd.begin(requests))
    assert [column(one, "p") for one in told[:-1]] == [[1.0], [1.0, 2.0], [1.0], [7.0], [1.0], [1.0, 2.0], [1.0]]
    assert [len(one.outputs) for one in told[:3]] == [2, 2, 1]
    assert (told[3].id, told[-1].reason) == ("mine", "MALFORMED_MESSAGE")


ADDS = Signature(
    (ColumnSpec("a", DataType.FP32), ColumnSpec("b", DataType.FP32)),
    (TensorSpec("y", DataType.FP32, (-1, 1)),),
)


async def adding(world: Any, *weights: int) -> list[int]:
    """The endpoint ``late`` with an arm a weight, whose version adds half of its place; the versions."""
    numbers = [await world.register(artifact=world.models.add(0.5 * n), takes=ADDS) for n in range(len(weights))]
    await world.route("late", *[(f"arm-{n}", number, weights[n]) for n, number in enumerate(numbers)])
    await world.ready("late", *numbers)
    return numbers


def own(*x: float, flights: Sequence[str | int] = (), ids: Sequence[str] = ()) -> bytes:
    """Rows in Slipway's own protocol, of these flights; each is its own sum."""
    request = own_pb.PredictRequest(endpoint="late", prediction_ids=ids)
    request.features.add(name="a").doubles.values.extend(x)
    request.features.add(name="b").doubles.values.extend([0.0] * len(x))
    if flights:
        key = request.entity_keys.add(name="flight")
        (key.int64s if isinstance(flights[0], int) else key.strings).values.extend(flights)
    return request.SerializeToString(deterministic=True)


def values(answer: own_pb.PredictResponse) -> list[float]:
    return [value for one in answer.predictions for output in one.outputs for value in output.values]


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("rows", [1, 3])
async def test_own_requests_are_answered_and_logged_each_by_itself(world: Any, rows: int, keyed: bool) -> None:
    [version] = await adding(world, 1)
    asked = [[float(100 * number + row) for row in range(rows)] for number in range(40)]
    flights = [[f"UA{int(x)}" for x in one] if keyed else [] for one in asked]
    requests = [own(*one, flights=mine) for one, mine in zip(asked, flights, strict=True)]
    answers = await Crowd(world.address, PREDICT).ask(requests)
    assert [values(one) for one in answers] == asked
    assert {(one.model, one.version, one.route) for answer in answers for one in answer.predictions} == {
        ("m", version, "arm-0")
    }
    logged: dict[str, tuple[float, str]] = {}
    for batch in await world.logged("late", 43 * rows):
        column = next(one for one in batch.features if one.name == "a")
        keys = batch.entity_keys[0].strings.values if keyed else [""] * len(batch.prediction_ids)
        logged |= {
            one: (value, key) for one, value, key in zip(batch.prediction_ids, column.doubles.values, keys, strict=True)
        }
    told = {
        prediction.prediction_id: (x, mine[row] if keyed else "")
        for one, mine, answer in zip(asked, flights, answers, strict=True)
        for row, (x, prediction) in enumerate(zip(one, answer.predictions, strict=True))
    }
    assert len(told) == 40 * rows
    assert told.items() <= logged.items()


async def test_what_is_wrong_with_one_own_request_fails_it_alone(world: Any) -> None:
    await adding(world, 1)
    asked = [
        own(1.0, 2.0, flights=["a", "b"]),
        own(3.0, math.nan, flights=["c", "d"]),
        own(5.0, 6.0, flights=["e", "f"]),
        own(7.0, 8.0, flights=["g"]),
        own(9.0, 10.0, flights=[7, 8]),
        own(11.0, 12.0, ids=["mine-0", "mine-1"]),
    ]
    first, wrong, second, short, numbers, named = await Crowd(world.address, PREDICT).ask(asked)
    assert [values(one) for one in (first, second, numbers, named)] == [
        [1.0, 2.0],
        [5.0, 6.0],
        [9.0, 10.0],
        [11.0, 12.0],
    ]
    assert [one.field for one in wrong.violations] == ["features[a]"]
    assert "is not a number in row 1" in str(wrong)
    assert [one.field for one in short.violations] == ["entity_keys[flight]"]
    assert [one.prediction_id for one in named.predictions] == ["mine-0", "mine-1"]


@pytest.mark.parametrize("rows", [1, 2])
async def test_rows_go_to_the_arms_of_their_keys_however_they_came(world: Any, rows: int) -> None:
    versions = await adding(world, 50, 30, 20)
    crowd = Crowd(world.address, PREDICT)
    asked = [[n + 0.25 * row for row in range(rows)] for n in range(40)]
    requests = [own(*one, flights=[f"UA{n}", f"DL{n}"][:rows]) for n, one in enumerate(asked)]
    together = await crowd.ask(requests)
    alone = [(await crowd.told(crowd.begin([one])))[0] for one in requests[:8]]
    chosen = [[one.version for one in answer.predictions] for answer in together]
    assert {version for one in chosen for version in one} == set(versions)
    assert any(len(set(one)) > 1 for one in chosen) == (rows > 1)  # rows of one request may go apart
    assert [[one.version for one in answer.predictions] for answer in alone] == chosen[:8]
    for one, answer, versions_of in zip(asked, together, chosen, strict=True):
        plus = [0.5 * versions.index(version) for version in versions_of]
        assert values(answer) == [number + more for number, more in zip(one, plus, strict=True)]


async def test_what_is_wrong_with_one_fails_it_alone_among_several_arms(world: Any) -> None:
    one, other = await world.register(0.0), await world.register(0.5)
    await world.route("late", ("main", one, 50), ("candidate", other, 50))
    await world.ready("late", one, other)
    crowd, traces = Crowd(world.address), [f"{number:032x}" for number in range(1, 41)]
    await crowd.ask([late(1.0)])
    numbers = [float(n) if n % 10 else math.nan for n in range(40)]
    told = await crowd.told(crowd.begin([late(n) for n in numbers], traces))
    wrong = [answer for answer in told if isinstance(answer, SlipwayError)]
    assert [each.kind for each in wrong] == [Kind.INVALID_ARGUMENT] * 4
    logged = await logged_traces(world, 2 + 36)
    arms = {str(one): 0.0, str(other): 0.5}
    assert {answer.model_version for answer in told if answer not in wrong} == arms.keys()
    for number, answer, trace in zip(numbers, told, traces, strict=True):
        if answer not in wrong:
            assert column(answer, "p") == [number + arms[answer.model_version]]
            assert logged[f"{stem(answer)}.0"] == trace
