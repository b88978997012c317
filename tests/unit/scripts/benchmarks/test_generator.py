from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc.aio
import pytest

from scripts.benchmarks.generator import Load, LoaderFailed, generate, loader

METHOD = "/bench.Service/Call"
REQUEST = b"x" * 100_000  # several frames


class Server:
    """Answers, and fails each ``fails_every``-th call with UNAVAILABLE, in the trailers alone."""

    def __init__(self) -> None:
        self.calls = self.fails_every = 0
        self.address = ""

    async def call(self, request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        assert request == REQUEST
        self.calls += 1
        if self.fails_every and self.calls % self.fails_every == 0:
            await context.abort(grpc.StatusCode.UNAVAILABLE, 'not "now"')
        return b"answer"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    try:
        loader()
    except LoaderFailed as error:
        pytest.skip(str(error).splitlines()[0])


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    here, running = Server(), grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(here.call)  # bytes in, bytes out
    running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Service", {"Call": handler}),))
    here.address = f"127.0.0.1:{running.add_insecure_port('127.0.0.1:0')}"
    await running.start()
    yield here
    await running.stop(None)


async def load(server: Server, streams: int, connections: int = 1) -> Load:
    edges: list[int] = []
    found = await asyncio.to_thread(
        generate,
        server.address,
        METHOD,
        REQUEST,
        streams=streams,
        connections=connections,
        warm_up_s=0,
        seconds=0.3,
        at_edges=lambda: edges.append(server.calls),
    )
    assert len(edges) == 2
    return found


@pytest.mark.parametrize(("streams", "connections"), [(1, 1), (8, 1), (8, 4)])
async def test_counts_what_the_server_answered(server: Server, streams: int, connections: int) -> None:
    found = await load(server, streams, connections)
    assert found.failed == 0
    assert found.requests > 0
    assert found.requests <= server.calls <= found.requests + streams  # those under way at the end do not count
    assert found.reply_bytes == 5 + len(b"answer")
    assert 0 < found.p50_ms <= found.p99_ms <= found.max_ms


async def test_a_status_in_the_trailers_is_a_failure(server: Server) -> None:
    server.fails_every = 3
    found = await load(server, 8)
    assert found.codes == {"grpc-status 14": found.failed}
    assert found.message == 'not "now"'
    assert found.failed == pytest.approx(found.requests / 2, abs=10)


async def test_nobody_listens() -> None:
    with pytest.raises(LoaderFailed, match="refused"):
        await asyncio.to_thread(generate, "127.0.0.1:1", METHOD, b"", streams=1, warm_up_s=0, seconds=0.1)
