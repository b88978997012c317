from __future__ import annotations

import asyncio
import socket
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from slipway.errors import Kind, SlipwayError
from slipway.lifecycle import PortTaken
from slipway.rpc.server import Server, service
from slipway.rpc.settings import RpcSettings
from slipway.tcp_proxy import TcpProxy

HEALTH = "grpc.health.v1.Health"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def refused(awaitable: Any) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        await awaitable
    return caught.value


async def health(wire: Any, name: str = "") -> int:
    request = health_pb2.HealthCheckRequest(service=name).SerializeToString()
    answer = await wire.unary(request, service=HEALTH, method="Check")
    return int(health_pb2.HealthCheckResponse.FromString(answer).status)


async def test_an_error_crosses_with_its_reason_facts_fields_and_delay(wire: Any) -> None:
    assert await wire.say("hello") == "hello"
    bad = await refused(wire.say("refuse"))
    assert (bad.kind, bad.reason, bad.message) == (
        Kind.INVALID_ARGUMENT,
        "INVALID_FIELD",
        "value: is refuse; say something else",
    )
    assert [(one.field, one.description) for one in bad.violations] == [("value", "is refuse; say something else")]
    full = await refused(wire.say("full"))
    assert (full.kind, full.facts, full.retry_after_s) == (Kind.RESOURCE_EXHAUSTED, {"limit": "1"}, 1.5)


async def test_a_defect_hides_its_text_and_names_its_trace(wire: Any, caplog: pytest.LogCaptureFixture) -> None:
    error = await refused(wire.say("defect"))
    assert (error.kind, error.reason) == (Kind.INTERNAL, "INTERNAL")
    assert "hunter2" not in error.message
    assert error.facts["trace_id"] in error.message
    assert "hunter2" in caplog.text
    assert await wire.say("still here") == "still here"


async def test_a_defect_in_the_middle_of_a_stream_is_told_after_what_came_before(wire: Any, tell: Any) -> None:
    call = wire.count("defect")
    assert StringValue.FromString(await call.read()).value == "one"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    error = tell(caught.value)
    assert (error.kind, "hunter2" in error.message) == (Kind.INTERNAL, False)


async def test_junk_is_an_invalid_argument_and_an_unknown_method_unimplemented(wire: Any) -> None:
    junk = await refused(wire.say(b"\xff\xff"))
    assert (junk.kind, junk.reason) == (Kind.INVALID_ARGUMENT, "MALFORMED_MESSAGE")
    assert [one.field for one in junk.violations] == ["request"]
    assert (await refused(wire.say("x", method="Shout"))).kind is Kind.UNIMPLEMENTED
    assert (await refused(wire.say("x", service="no.such.Service"))).kind is Kind.UNIMPLEMENTED


async def test_streams_of_all_kinds_carry_messages(wire: Any) -> None:
    texts = [StringValue(value=text).SerializeToString() for text in ("a", "b", "c")]
    joined = await wire.channel.stream_unary("/slipway.test.v1.Echo/Join")(iter(texts))
    assert StringValue.FromString(joined).value == "abc"
    talk = wire.channel.stream_stream("/slipway.test.v1.Echo/Talk")(iter(texts))
    assert [data async for data in talk] == texts


async def test_a_message_over_the_limit_is_refused_and_the_server_lives(serve: Any) -> None:
    wire = await serve(max_message_bytes=2000)
    assert (await refused(wire.say("x" * 3000))).kind is Kind.RESOURCE_EXHAUSTED
    assert len(await wire.say("x" * 1900)) == 1900


async def test_metadata_over_the_limit_is_refused_and_the_server_lives(wire: Any) -> None:
    error = await refused(wire.say("x", metadata=(("note", "n" * 40_000),)))
    assert error.kind is Kind.RESOURCE_EXHAUSTED
    assert await wire.say("metadata note", metadata=(("note", "n" * 1000),)) == "n" * 1000


async def test_health_says_what_the_process_says(wire: Any) -> None:
    assert await health(wire) == SERVING
    assert await health(wire, "slipway.test.v1.Echo") == SERVING
    await wire.server.set_ready(False)
    assert await health(wire) == NOT_SERVING
    await wire.server.set_ready(True)
    assert await health(wire) == SERVING
    assert (await refused(wire.say(b"\x0a\x01x", service=HEALTH, method="Check"))).kind is Kind.NOT_FOUND


async def test_a_drain_tells_watchers_ends_streams_and_lets_calls_finish(wire: Any, tell: Any) -> None:
    watch = wire.channel.unary_stream(f"/{HEALTH}/Watch")(b"")
    assert health_pb2.HealthCheckResponse.FromString(await watch.read()).status == SERVING
    stream = wire.count("one")
    await stream.read()
    call = asyncio.ensure_future(wire.say("wait"))
    await wire.echo.inside.wait()
    stopping = asyncio.create_task(wire.server.stop())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.read()
    error = tell(caught.value)
    assert (error.kind, error.reason) == (Kind.UNAVAILABLE, "DRAINING")
    assert health_pb2.HealthCheckResponse.FromString(await watch.read()).status == NOT_SERVING
    assert not call.done()
    wire.echo.gate.set()
    assert await call == "wait"
    await stopping


async def test_a_call_that_outlasts_the_grace_is_told_that_the_server_stops(serve: Any) -> None:
    wire = await serve(grace_s=0.0)
    call = asyncio.ensure_future(wire.say("wait"))
    await wire.echo.inside.wait()
    await wire.server.stop()
    assert (await refused(call)).kind is Kind.UNAVAILABLE


async def test_a_client_that_vanishes_leaves_no_stream_behind(wire: Any, caplog: pytest.LogCaptureFixture) -> None:
    for told in ("", "one"):
        wire.echo.left.clear()
        channel: Any
        async with grpc.aio.insecure_channel(f"127.0.0.1:{wire.server.port}") as channel:
            call = channel.unary_stream("/slipway.test.v1.Echo/Count")
            await call(StringValue(value=told).SerializeToString()).read()
        await asyncio.wait_for(wire.echo.left.wait(), 30)
    async with asyncio.timeout(30):
        while wire.server.open_streams:
            await asyncio.sleep(0)
    assert caplog.text == ""


async def test_a_client_that_is_cut_off_without_a_word_leaves_no_stream_behind(serve: Any) -> None:
    wire = await serve(keepalive_s=1.0)
    async with TcpProxy.open(f"127.0.0.1:{wire.server.port}") as proxy:
        channel: Any
        async with grpc.aio.insecure_channel(proxy.address) as channel:
            call = channel.unary_stream("/slipway.test.v1.Echo/Count")(StringValue(value="one").SerializeToString())
            await call.read()
            proxy.partition()
            await asyncio.wait_for(wire.echo.left.wait(), 60)
            call.cancel()


async def test_reflection_lists_the_services_and_survives_junk(wire: Any) -> None:
    def asks(*messages: bytes) -> Any:
        return wire.channel.stream_stream(REFLECTION)(iter(messages))

    junk = asks(b"\xff\xff")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await junk.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    listing = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    answer = reflection_pb2.ServerReflectionResponse.FromString(await asks(listing).read())
    names = [one.name for one in answer.list_services_response.service]
    assert set(names) >= {"slipway.test.v1.Echo", HEALTH, "grpc.reflection.v1alpha.ServerReflection"}
    symbol = reflection_pb2.ServerReflectionRequest(file_containing_symbol="slipway.test.v1.Echo")
    found = reflection_pb2.ServerReflectionResponse.FromString(await asks(symbol.SerializeToString()).read())
    assert found.file_descriptor_response.file_descriptor_proto


async def test_a_taken_port_is_told_by_its_number_and_key(wire: Any) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen(1)
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(PortTaken, match=f"{address}.*rpc.listen") as caught:
            await Server(RpcSettings(listen=address), []).start()
        assert caught.value.reason == "PORT_TAKEN"
    with pytest.raises(PortTaken):
        await Server(RpcSettings(listen=f"127.0.0.1:{wire.server.port}"), []).start()


async def test_a_servicer_that_lacks_a_method_is_refused_at_once() -> None:
    from google.protobuf import descriptor_pool  # noqa: PLC0415 - the fixture's contract

    contract = descriptor_pool.Default().FindServiceByName("slipway.test.v1.Echo")
    with pytest.raises(TypeError, match="lacks Say, Count, Join, Talk"):
        service(contract, object())


async def test_more_calls_than_allowed_are_refused_but_health_is_not(serve: Any) -> None:
    wire = await serve(max_concurrent_calls=1)
    call = asyncio.ensure_future(wire.say("wait"))
    await wire.echo.inside.wait()
    error = await refused(wire.say("hello"))
    assert (error.kind, error.reason) == (Kind.RESOURCE_EXHAUSTED, "OVERLOADED")
    assert error.facts == {"limit": "1", "of": "calls"}
    assert error.retry_after_s
    assert await health(wire) == SERVING
    wire.echo.gate.set()
    assert await call == "wait"
    assert await wire.say("hello") == "hello"


async def test_more_bytes_of_requests_than_allowed_are_refused(serve: Any) -> None:
    wire = await serve(max_pending_bytes=1024)
    call = asyncio.ensure_future(wire.say("wait"))
    await wire.echo.inside.wait()
    error = await refused(wire.say("x" * 1024))
    assert (error.reason, error.facts["of"]) == ("OVERLOADED", "bytes of requests")
    assert await wire.say("x" * 900) == "x" * 900
    wire.echo.gate.set()
    assert await call == "wait"
    # One that is over the bound by itself is answered when there is no other.
    assert await wire.say("x" * 1024) == "x" * 1024
