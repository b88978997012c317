from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from opentelemetry import context, trace

from slipway.client import AsyncSlipway, Kind, Slipway, SlipwayError
from slipway.client._sync.transport import Stub
from slipway.client.peers import REGISTRY
from slipway.errors import FieldViolation, InvalidInput
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.rpc import deadline


def refused(call: Any, *args: Any, **kwargs: Any) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        call(*args, **kwargs)
    return caught.value


def test_an_error_arrives_with_all_its_details(client: Any) -> None:
    error = refused(client.registry.get_model, "odd")
    assert error.kind is Kind.INVALID_ARGUMENT
    assert (error.reason, error.message) == ("ODD_NAME", "the name is odd")
    assert error.facts == {"name": "odd"}
    assert error.violations == (FieldViolation("name", "is odd"), FieldViolation("owner", "is absent"))
    assert error.retry_after_s == 1.5
    assert error.__cause__ is None


def test_nobody_there_says_who_is_missing_where_and_how_to_start_it(connect: Any, nowhere: str) -> None:
    error = refused(connect(features=nowhere).features.get_view, "planes")
    assert (error.kind, error.reason) == (Kind.UNAVAILABLE, "UNREACHABLE")
    for part in ("feature_serving", nowhere, "`slipway up`", "SLIPWAY_FEATURE_SERVING_ADDRESS"):
        assert part in error.message
    assert error.facts == {"service": "feature_serving", "address": nowhere, "method": "GetFeatureView"}


def test_a_stream_from_nobody_fails_when_it_is_read(connect: Any, nowhere: str) -> None:
    stream = connect(registry=nowhere).registry.watch_endpoints()
    assert refused(next, iter(stream)).reason == "UNREACHABLE"


def test_a_late_answer_says_how_long_it_had(connect: Any, platform: Any) -> None:
    error = refused(connect(registry=platform.address, timeout_s=0.2).registry.get_model, "never")
    assert error.kind is Kind.DEADLINE_EXCEEDED


def test_the_timeout_travels_to_the_server(connect: Any, platform: Any) -> None:
    seen = json.loads(connect(registry=platform.address, timeout_s=7).registry.get_model("seen").description)
    # gRPC rounds a little up; the server alone would allow 60 s.
    assert 0 < seen["remaining_s"] < 8


def test_a_call_gets_no_more_time_than_the_call_it_serves(platform: Any) -> None:
    async def served() -> str:
        deadline.start(3)
        async with AsyncSlipway(registry=platform.address) as client:
            return (await client.registry.get_model("seen")).description

    assert 0 < json.loads(asyncio.run(served()))["remaining_s"] < 4


def test_no_time_left_fails_without_an_answer(platform: Any) -> None:
    async def served() -> None:
        deadline.start(0)
        async with AsyncSlipway(registry=platform.address) as client:
            await client.registry.get_model("seen")

    with pytest.raises(SlipwayError) as caught:
        asyncio.run(served())
    assert (caught.value.kind, caught.value.reason) == (Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    assert "timeout_s" in caught.value.message


def test_the_trace_goes_on_in_the_server(platform: Any) -> None:
    span = trace.NonRecordingSpan(trace.SpanContext(0xABC, 0xDEF, is_remote=False))
    token = context.attach(trace.set_span_in_context(span))
    try:
        with Slipway(registry=platform.address) as client:
            seen = json.loads(client.registry.get_model("seen").description)
    finally:
        context.detach(token)
    assert seen["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-00"


def test_the_gateway_is_told_whose_call_it_is_and_no_other_service(connect: Any, platform: Any) -> None:
    client = connect(**platform.addresses(), token="a-token")
    assert client.inference.tenants()[0].name == "Bearer a-token"
    assert "authorization" not in json.loads(client.registry.get_model("seen").description)["metadata"]


def test_bytes_of_another_contract_are_told(client: Any) -> None:
    assert refused(client.registry.get_model, "junk").reason == "UNREADABLE_ANSWER"


def test_pages_follow_each_other(client: Any) -> None:
    assert [model.name for model in client.registry.models()] == ["m0", "m1", "m2", "m3", "m4"]


def test_reads_are_tried_again(client: Any, unique: str) -> None:
    assert client.registry.get_model(f"flaky{unique}").latest_version == 3


def test_keyed_writes_are_tried_again(client: Any, unique: str) -> None:
    assert client.registry.set_alias("m", unique, 4).version == 4
    (answer,) = client.inference.predict(f"flaky{unique}", [{"x": 1}], prediction_ids=["a"])
    assert answer.prediction_id == "a"


@pytest.mark.parametrize("write", ["delete", "expected", "predict"])
def test_what_may_have_happened_is_not_tried_again(client: Any, unique: str, write: str) -> None:
    key = f"flaky{unique}"
    if write == "delete":
        error = refused(client.registry.delete_alias, "m", key)
    elif write == "expected":
        error = refused(client.registry.set_alias, "m", key, 4, expected_version=3)
    else:
        error = refused(client.inference.predict, key, [{"x": 1}])
    assert (error.reason, error.message) == ("WARMING_UP", "attempt 1")
    assert client.registry.get_model(f"attempts/{key}").latest_version == 1


def test_a_stream_ends_with_the_server(connect: Any, own_platform: Any) -> None:
    client = connect(registry=own_platform.address)
    changes = iter(client.registry.watch_endpoints("gateway"))
    assert next(changes).snapshot
    # Its answer shows that the server has done with sending the snapshot.
    client.registry.get_model("m")
    own_platform.process.terminate()
    error = refused(next, changes)
    assert (error.kind, error.reason) == (Kind.UNAVAILABLE, "DRAINING")
    assert own_platform.process.wait(30) == 0


def test_a_stream_breaks_with_the_server(connect: Any, own_platform: Any) -> None:
    changes = iter(connect(registry=own_platform.address).registry.watch_endpoints("gateway"))
    assert next(changes).snapshot
    own_platform.process.kill()
    assert refused(next, changes).reason == "UNREACHABLE"


def test_a_stream_that_is_left_is_over(client: Any) -> None:
    with client.registry.watch_endpoints() as changes:
        assert next(iter(changes)).revision == 1
    assert list(changes) == []


def test_a_stream_that_ends_is_read_to_its_end(client: Any) -> None:
    first, second = client.registry.watch_endpoints("brief")
    assert (first.snapshot, first.endpoints[0].name) == (True, "late")
    assert (second.snapshot, second.deleted) == (False, ("late",))


def test_a_closed_client_says_so(client: Any) -> None:
    client.registry.get_model("m")
    client.close()
    assert refused(client.registry.get_model, "m").reason == "CLIENT_CLOSED"
    assert refused(client.registry.watch_endpoints).reason == "CLIENT_CLOSED"
    client.close()


def test_another_server_at_the_address_is_told(platform: Any) -> None:
    stub = Stub(REGISTRY, platform.address, 5)
    try:
        error = refused(stub.unary, "Unheard", pb.GetModelRequest(), pb.GetModelResponse)
    finally:
        stub.close()
    assert (error.kind, error.reason) == (Kind.UNIMPLEMENTED, "UNKNOWN_METHOD")


def test_a_message_over_the_limit_is_told(client: Any) -> None:
    error = refused(client.registry.create_model, "m", owner="me", description="x" * (17 * 2**20))
    assert (error.kind, error.reason) == (Kind.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE")


def test_a_timeout_must_be_some_time(connect: Any) -> None:
    with pytest.raises(InvalidInput, match="timeout_s"):
        connect(timeout_s=0)


async def test_a_cancelled_task_is_cancelled(platform: Any) -> None:
    async with AsyncSlipway(registry=platform.address) as client:
        task = asyncio.create_task(client.registry.get_model("never"))
        await client.registry.get_model("m")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_closing_ends_what_still_runs(platform: Any) -> None:
    client = AsyncSlipway(registry=platform.address)
    changes = client.registry.watch_endpoints()
    await anext(changes)
    waiting = asyncio.create_task(anext(changes))
    call = asyncio.create_task(client.registry.get_model("never"))
    await client.registry.get_model("m")
    await client.aclose()
    for task in (waiting, call):
        with pytest.raises(SlipwayError) as caught:
            await task
        assert caught.value.reason == "CLIENT_CLOSED"
