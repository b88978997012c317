from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from slipway.errors import Kind, SlipwayError
from slipway.rpc import deadline


async def test_the_server_s_maximum_ends_a_call_that_has_no_deadline(serve: Any) -> None:
    wire = await serve(max_deadline_s=0.01)
    with pytest.raises(SlipwayError) as caught:
        await wire.say("wait", timeout=None)
    error = caught.value
    assert (error.kind, error.reason) == (Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
    assert "0.010 s" in error.message
    assert await wire.say("hello") == "hello"


async def test_the_caller_s_own_deadline_holds_when_it_is_shorter(serve: Any) -> None:
    wire = await serve(max_deadline_s=1000)
    with pytest.raises(SlipwayError) as caught:
        await wire.say("wait", timeout=0.05)
    assert caught.value.kind is Kind.DEADLINE_EXCEEDED


async def test_what_remains_travels_to_whatever_is_called_next(serve: Any) -> None:
    wire = await serve(max_deadline_s=500)
    assert 0 < float(await wire.say("remaining", timeout=100)) < 110  # gRPC rounds up
    assert 100 < float(await wire.say("remaining", timeout=None)) <= 500
    assert 100 < float(await wire.say("remaining", timeout=10_000)) <= 500


async def test_a_stream_lasts_as_long_as_its_caller_wants(serve: Any) -> None:
    wire = await serve(max_deadline_s=1)
    unbounded = await wire.count("remaining", timeout=None).read()
    assert StringValue.FromString(unbounded).value == "None"
    bounded = await wire.count("remaining", timeout=100).read()
    assert 1 < float(StringValue.FromString(bounded).value) < 110  # gRPC rounds up


async def test_a_caller_who_stops_sending_in_the_middle_is_let_go(serve: Any, tell: Any) -> None:
    wire = await serve(max_deadline_s=0.05)
    call = wire.channel.stream_unary("/slipway.test.v1.Echo/Join")()
    await call.write(StringValue(value="half").SerializeToString())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = tell(caught.value)
    assert (error.kind, error.reason) == (Kind.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


def test_outside_of_a_call_a_timeout_is_one_s_own() -> None:
    assert deadline.remaining() is None
    assert deadline.within(3.0) == 3.0


async def test_inside_of_a_call_nothing_lasts_longer_than_what_remains() -> None:
    deadline.start(0.0)
    assert deadline.remaining() == 0.0
    assert deadline.within(3.0) == 0.0
    deadline.start(1000.0)
    assert deadline.within(3.0) == 3.0


async def test_a_bound_ends_its_block_and_is_gone_behind_it() -> None:
    deadline.start(1000.0)
    with pytest.raises(SlipwayError) as caught:
        await _for_ever_within(0.001)
    assert (caught.value.kind, "0.001 s" in caught.value.message) == (Kind.DEADLINE_EXCEEDED, True)
    assert deadline.within(900.0) == 900.0


async def _for_ever_within(limit_s: float) -> None:
    async with deadline.Bound(limit_s):
        assert (deadline.remaining() or 0) <= limit_s
        await asyncio.Event().wait()


async def test_a_bound_hides_no_other_timeout() -> None:
    with pytest.raises(TimeoutError, match="another's"):
        async with deadline.Bound(100.0):
            raise TimeoutError("another's")
