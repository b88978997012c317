"""Who may ask, and how much: over gRPC and REST, on the real gateway."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import grpc.aio
import pytest
import pytest_asyncio
from click.testing import CliRunner

from services.inference_gateway.cli import main as cli
from slipway.client import AsyncSlipway
from slipway.errors import Kind, SlipwayError
from slipway.gen.inference import inference_pb2 as open_pb
from slipway.gen.slipway.inference.v1 import inference_pb2
from slipway.rpc import status

OPERATOR, SEARCH, METERED, WRONG = (f"{name}-token-0123456789" for name in ("operator", "search", "metered", "wrong"))
FREE = {"ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata"}
FOR_TENANTS = {"Predict", "ListEndpoints", "ModelInfer", "ModelStreamInfer", "ModelConfig", "ModelStatistics"}
FOR_TENANTS |= {"RepositoryIndex", "StreamPredict"}
METHODS = [
    (service.full_name, method.name, method.server_streaming)
    for service in (
        inference_pb2.DESCRIPTOR.services_by_name["InferenceService"],
        open_pb.DESCRIPTOR.services_by_name["GRPCInferenceService"],
    )
    for method in service.methods
]
INFER = {
    "inputs": [
        {"name": "distance", "datatype": "FP32", "shape": [2, 1], "data": [1, 2]},
        {"name": "stops", "datatype": "INT64", "shape": [2, 1], "data": [1, 2]},
    ]
}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory,
    onnx_models: ModuleType,
    worlds: Callable[[Path, ModuleType], AbstractAsyncContextManager[Any]],
) -> AsyncIterator[Any]:
    """A gateway that knows three tenants, of which one may ask about 4 rows, and 1 more in 1,000 s.

    Over REST it answers one call at a time.
    """
    folder = tmp_path_factory.mktemp("tenants")
    (folder / "search-tokens").write_text(f"{SEARCH}\n")
    tenants = {
        "ops": {"token_sha256": [_digest(OPERATOR)], "operator": True},
        "search": {"token_file": folder / "search-tokens", "weight": 3.0},
        "metered": {"token_sha256": [_digest(METERED)], "rows_per_s": 0.001, "burst_rows": 4, "max_in_flight": 9},
    }
    async with worlds(folder, onnx_models) as world:
        await world.standing("late")
        await world.stop_gateway()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("SLIPWAY_TOKEN", OPERATOR)
            http = {"listen": "127.0.0.1:0", "max_body_bytes": 64 * 1024, "max_concurrent_calls": 1}
            await world.start_gateway(tenants=tenants, http=http)
            await world.ready("late", 1)
            yield world


async def _kind(channel: grpc.aio.Channel, method: tuple[str, str, bool], token: str | None) -> Kind | None:
    """How a call ends whose message is junk; None when it is answered."""
    service, name, streams = method
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    path = f"/{service}/{name}"
    try:
        if streams:
            async for _ in channel.stream_stream(path)(iter([b"\xff"]), metadata=metadata, timeout=30):
                pass
        else:
            await channel.unary_unary(path)(b"\xff", metadata=metadata, timeout=30)
    except grpc.aio.AioRpcError as error:
        return status.decode(error.code(), error.details() or "", tuple(error.trailing_metadata() or ())).kind  # type: ignore[arg-type]
    return None


@pytest.mark.asyncio(loop_scope="module")
async def test_every_method_asks_who_calls_before_it_looks_at_the_message(served: Any) -> None:
    parsed = {Kind.INVALID_ARGUMENT, Kind.UNIMPLEMENTED}
    for method in METHODS:
        name = method[1]
        outcomes = [await _kind(served.channel, method, token) for token in (None, WRONG, SEARCH, OPERATOR)]
        stranger = parsed if name in FREE else {Kind.UNAUTHENTICATED}
        tenant = parsed if name in FREE | FOR_TENANTS else {Kind.PERMISSION_DENIED}
        assert outcomes[0] in stranger, name
        assert outcomes[1] in stranger, name
        assert outcomes[2] in tenant, name
        assert outcomes[3] in parsed, name


@pytest.mark.asyncio(loop_scope="module")
async def test_rest_asks_as_grpc_does(served: Any) -> None:
    free, refused = {200, 503}, {401}
    routes = [
        ("GET", "", free, free),
        ("GET", "/health/live", free, free),
        ("GET", "/models/late/ready", free, free),
        ("GET", "/models/late/versions/1", free, free),
        ("GET", "/models/late/stats", refused, free),
        ("GET", "/models/late/config", refused, free),
        ("POST", "/models/late/versions/1/infer", refused, {400}),
        ("POST", "/repository/index", refused, free),
        ("POST", "/repository/models/late/load", refused, {403}),
        ("POST", "/repository/models/late/unload", refused, {403}),
    ]
    async with aiohttp.ClientSession() as http:
        for verb, path, stranger, tenant in routes:
            for token, outcome in ((None, stranger), (WRONG, stranger), (SEARCH, tenant)):
                headers = {} if token is None else {"Authorization": f"bearer {token}"}
                body = b"[" if "infer" in path else None
                async with http.request(verb, f"{served.http}/v2{path}", headers=headers, data=body) as answer:
                    assert answer.status in outcome, (path, token)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_refusal_says_what_to_send_and_no_token(served: Any) -> None:
    async with AsyncSlipway(gateway=served.address, token=WRONG) as stranger:
        with pytest.raises(SlipwayError, match="no tenant of this gateway has this token") as refused:
            await stranger.inference.predict("late", [served.row])
    assert (refused.value.kind, refused.value.reason) == (Kind.UNAUTHENTICATED, "TOKEN_UNKNOWN")
    assert WRONG not in refused.value.message + str(refused.value.facts)
    with pytest.raises(SlipwayError, match="send `authorization: Bearer TOKEN`"):
        await served.send("Predict", b"")


@pytest.mark.asyncio(loop_scope="module")
async def test_a_quota_holds_over_every_protocol_and_for_its_tenant_alone(served: Any) -> None:
    url = f"{served.http}/v2/models/late/infer"
    bearer = {"Authorization": f"Bearer {METERED}"}
    async with (
        AsyncSlipway(gateway=served.address, token=METERED) as metered,
        AsyncSlipway(gateway=served.address, token=SEARCH) as search,
        aiohttp.ClientSession() as http,
    ):
        async with http.post(url, json=INFER) as answer:
            assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        async with http.get(f"{served.http}/v2/health/ready") as answer:
            assert answer.status == 200
        await metered.inference.predict("late", [served.row] * 2)
        async with http.post(url, json=INFER, headers=bearer) as answer:
            assert answer.status == 200
        with pytest.raises(SlipwayError, match="tenant 'metered' may ask about 0\\.001 rows a second") as refused:
            await metered.inference.predict("late", [served.row] * 3)
        assert (refused.value.kind, refused.value.reason) == (Kind.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
        assert 2900 < (refused.value.retry_after_s or 0) <= 3000
        async with http.post(url, json=INFER, headers=bearer) as answer:
            told = await answer.json()
            assert (answer.status, told["reason"]) == (429, "QUOTA_EXCEEDED")
            assert told["retry_after_s"] <= int(answer.headers["Retry-After"]) <= 2000
        assert len(await search.inference.predict("late", [served.row] * 50)) == 50
    found = {one.name: one for one in await served.client.inference.tenants()}
    assert list(found) == ["metered", "ops", "search"]
    metered_now = found["metered"]
    assert (metered_now.admitted_rows, metered_now.refused_requests, metered_now.in_flight) == (4, 2, 0)
    assert (metered_now.rows_per_s, metered_now.burst_rows, metered_now.max_in_flight) == (0.001, 4, 9)
    assert (found["search"].admitted_rows, found["search"].weight, found["search"].rows_per_s) == (50, 3.0, None)


@pytest.mark.asyncio(loop_scope="module")
async def test_more_rest_calls_than_allowed_are_refused_but_health_is_not(served: Any) -> None:
    url, bearer = f"{served.http}/v2/models/late/infer", {"Authorization": f"Bearer {SEARCH}"}
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow_body() -> AsyncIterator[bytes]:
        yield b"{"
        inside.set()
        await go_on.wait()
        yield json.dumps(INFER).encode()[1:]

    async with aiohttp.ClientSession() as http:
        first = asyncio.ensure_future(http.post(url, data=slow_body(), headers=bearer))
        await inside.wait()
        async with asyncio.timeout(30):
            while True:  # the first may still be on its way
                async with http.post(url, data=b"no JSON", headers=bearer) as answer:
                    told = await answer.json()
                if answer.status == 503:
                    break
        assert told["reason"] == "OVERLOADED"
        async with http.get(f"{served.http}/v2/health/ready") as answer:
            assert answer.status == 200
        go_on.set()
        async with await first as answer:
            assert answer.status == 200


@pytest.mark.asyncio(loop_scope="module")
async def test_operators_see_the_tenants(served: Any) -> None:
    verb = ["tenants", "--address", served.address, "--token"]
    shown = await asyncio.to_thread(CliRunner().invoke, cli, [*verb, OPERATOR])
    assert shown.exit_code == 0
    assert "metered" in shown.stdout
    refused = await asyncio.to_thread(CliRunner().invoke, cli, [*verb, SEARCH, "--json"])
    assert refused.exit_code == 1
    assert "tenant 'search' may not call ListTenants" in refused.stderr
