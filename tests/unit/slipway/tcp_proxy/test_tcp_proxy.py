"""The proxy between real sockets: each condition as both ends see it, while connections are open."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from slipway.errors import InvalidInput, SlipwayError, Unavailable
from slipway.supervisor.ports import free_port
from slipway.tcp_proxy import Conditions, Control, Link, TcpProxy, spawned

PATIENCE_S = 30.0
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Echo:
    """Sends back what it gets, and its FIN after the client's; tells how its connections ended."""

    address: str = ""
    got: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    ends: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    leave: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Echo]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            self.address = "127.0.0.1:{1}".format(*server.sockets[0].getsockname())
            yield self
            self.leave.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                self.got.put_nowait(data)
                writer.write(data)
                await writer.drain()
            self.ends.put_nowait("FIN")
        except ConnectionResetError:
            self.ends.put_nowait("RST")
        finally:
            writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with Echo().serving() as serving:
        yield serving


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[TcpProxy]:
    async with asyncio.timeout(PATIENCE_S), TcpProxy.open(echo.address, seed=7) as proxy:
        yield proxy


async def connect(address: str) -> Stream:
    host, _, port = address.rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def echoed(stream: Stream, data: bytes) -> bytes:
    stream[1].write(data)
    await stream[1].drain()
    return await stream[0].readexactly(len(data))


async def took_s(stream: Stream, data: bytes) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await echoed(stream, data) == data
    return loop.time() - began


async def meanwhile(echo: Echo) -> None:
    """Let as much happen as many round trips to the server take that meet no proxy."""
    stream = await connect(echo.address)
    for _ in range(50):
        assert await echoed(stream, b"direct") == b"direct"
        await echo.got.get()
    stream[1].close()
    assert await echo.ends.get() == "FIN"


async def test_bytes_pass_whole_and_are_counted(proxy: TcpProxy, echo: Echo) -> None:
    data = bytes(range(256)) * 40_000
    stream = await connect(proxy.address)
    sending = asyncio.create_task(echoed(stream, data))
    assert await sending == data
    assert (proxy.counters.accepted, proxy.counters.open) == (1, 1)
    assert (proxy.counters.bytes_up, proxy.counters.bytes_down) == (len(data), len(data))
    stream[1].write_eof()
    assert await stream[0].read() == b""
    assert await echo.ends.get() == "FIN"


async def test_latency_and_jitter_are_felt_and_order_is_kept(proxy: TcpProxy) -> None:
    stream = await connect(proxy.address)
    proxy.conditions = Conditions.both(Link(latency_s=0.03, jitter_s=0.01))
    assert await took_s(stream, b"one") >= 0.06
    for number in range(100):
        stream[1].write(number.to_bytes())
        await asyncio.sleep(0)
    assert await stream[0].readexactly(100) == bytes(range(100))


async def test_conditions_hold_at_once_for_what_is_on_its_way(proxy: TcpProxy, echo: Echo) -> None:
    stream = await connect(proxy.address)
    proxy.conditions = Conditions.both(Link(latency_s=3600))
    asked = asyncio.create_task(echoed(stream, b"late"))
    await meanwhile(echo)
    assert not asked.done()
    proxy.conditions = Conditions()
    assert await asked == b"late"


async def test_a_narrow_link_takes_its_time(proxy: TcpProxy) -> None:
    stream = await connect(proxy.address)
    proxy.conditions = Conditions(up=Link(bytes_per_s=100_000))
    assert await took_s(stream, bytes(10_000)) >= 0.1


async def test_a_lost_chunk_comes_later_and_nothing_is_missing(proxy: TcpProxy) -> None:
    stream = await connect(proxy.address)
    proxy.conditions = Conditions(down=Link(loss=0.5, retransmit_s=0.001))
    for number in range(40):
        assert await echoed(stream, number.to_bytes()) == number.to_bytes()
    assert 0 < proxy.counters.lost_chunks < 40
    proxy.conditions = Conditions(up=Link(loss=1, retransmit_s=0.02))
    assert await took_s(stream, b"lost") >= 0.02


async def test_a_cut_resets_both_ends(proxy: TcpProxy, echo: Echo) -> None:
    stream = await connect(proxy.address)
    assert await echoed(stream, b"before") == b"before"
    proxy.conditions = Conditions(up=Link(cut=1))
    with pytest.raises(ConnectionResetError):
        await echoed(stream, b"after")
    assert await echo.ends.get() == "RST"
    assert proxy.counters.resets == 1


async def luck(echo: Echo, seed: int) -> list[bool]:
    """Which of twenty connections were cut at their first chunk."""
    cut = []
    async with TcpProxy.open(echo.address, seed=seed) as proxy:
        proxy.conditions = Conditions(up=Link(cut=0.5))
        for _ in range(20):
            stream = await connect(proxy.address)
            try:
                await echoed(stream, b"x")
                cut.append(False)
            except (ConnectionResetError, asyncio.IncompleteReadError):
                cut.append(True)
            stream[1].close()
    return cut


async def test_a_seed_repeats_its_luck(echo: Echo) -> None:
    first = await luck(echo, 1)
    assert await luck(echo, 1) == first
    assert await luck(echo, 2) != first


@pytest.mark.parametrize("direction", ["up", "down", "both"])
async def test_a_partition_holds_everything_back_until_it_heals(proxy: TcpProxy, echo: Echo, direction: str) -> None:
    stream = await connect(proxy.address)
    assert await echoed(stream, b"before") == b"before"
    await echo.got.get()
    proxy.partition(*{"up": ("up",), "down": ("down",)}.get(direction, ()))
    asked = asyncio.create_task(echoed(stream, b"within"))
    if direction == "down":
        # The server has the effect, the client no answer.
        assert await echo.got.get() == b"within"
    await meanwhile(echo)
    assert not asked.done()
    assert echo.got.empty()
    proxy.heal()
    assert await asked == b"within"


async def test_a_connection_made_during_a_partition_is_carried_when_it_heals(proxy: TcpProxy, echo: Echo) -> None:
    proxy.partition()
    stream = await connect(proxy.address)
    asked = asyncio.create_task(echoed(stream, b"patient"))
    await meanwhile(echo)
    assert not asked.done()
    proxy.heal()
    assert await asked == b"patient"


async def test_an_end_is_not_heard_across_a_partition(proxy: TcpProxy, echo: Echo) -> None:
    stream = await connect(proxy.address)
    assert await echoed(stream, b"before") == b"before"
    await echo.got.get()
    proxy.partition()
    stream[1].write_eof()
    await meanwhile(echo)
    assert echo.ends.empty()
    proxy.heal()
    assert await echo.ends.get() == "FIN"


async def test_a_reset_reaches_both_ends_and_new_connections_pass(proxy: TcpProxy, echo: Echo) -> None:
    streams = [await connect(proxy.address) for _ in range(3)]
    for stream in streams:
        await echoed(stream, b"before")
    assert proxy.reset() == 3
    for stream in streams:
        with pytest.raises(ConnectionResetError):
            await stream[0].read()
        assert await echo.ends.get() == "RST"
    assert await echoed(await connect(proxy.address), b"again") == b"again"


async def test_half_open_one_end_is_gone_and_the_other_does_not_know(proxy: TcpProxy, echo: Echo) -> None:
    stream = await connect(proxy.address)
    await echoed(stream, b"before")
    await echo.got.get()
    assert proxy.half_open("client") == 1
    assert await echo.ends.get() == "RST"
    asked = asyncio.create_task(echoed(stream, b"to nobody"))
    await meanwhile(echo)
    assert not asked.done()
    assert proxy.reset() == 1
    with pytest.raises(ConnectionResetError):
        await asked


async def test_half_open_the_server_keeps_a_client_that_is_gone(proxy: TcpProxy, echo: Echo) -> None:
    stream = await connect(proxy.address)
    await echoed(stream, b"before")
    await echo.got.get()
    proxy.half_open("server")
    with pytest.raises(ConnectionResetError):
        await stream[0].read()
    await meanwhile(echo)
    assert echo.ends.empty()


async def test_a_slow_close_passes_the_end_on_later(proxy: TcpProxy, echo: Echo) -> None:
    proxy.conditions = Conditions(up=Link(close_delay_s=3600))
    stream = await connect(proxy.address)
    assert await echoed(stream, b"last words") == b"last words"
    await echo.got.get()
    stream[1].write_eof()
    await meanwhile(echo)
    assert echo.ends.empty()
    proxy.conditions = Conditions()
    assert await echo.ends.get() == "FIN"
    assert await stream[0].read() == b""


async def test_refusing_resets_new_connections_and_leaves_open_ones(proxy: TcpProxy) -> None:
    kept = await connect(proxy.address)
    await echoed(kept, b"before")
    proxy.conditions = Conditions(refusing=True)
    refused = await connect(proxy.address)
    with pytest.raises(ConnectionResetError):
        await refused[0].read()
    assert await echoed(kept, b"still") == b"still"
    assert proxy.counters.refused == 1


async def test_a_server_that_is_away_resets_its_clients() -> None:
    async with TcpProxy.open(f"127.0.0.1:{free_port()}") as proxy:
        stream = await connect(proxy.address)
        with pytest.raises(ConnectionResetError):
            await stream[0].read()
        assert proxy.counters.unreachable == 1


async def test_a_process_is_steered_over_its_control(echo: Echo) -> None:
    with spawned(echo.address, seed=3) as control:
        stream = await connect(control.address)
        assert await echoed(stream, b"before") == b"before"
        link = Link(latency_s=0.01, jitter_s=0.01, loss=0.5, cut=0, bytes_per_s=1e6, retransmit_s=0.01)
        control.set(Conditions(up=link))
        assert control.conditions() == Conditions(up=link)
        control.partition("up")
        assert control.conditions().up.blocked
        asked = asyncio.create_task(echoed(stream, b"within"))
        await meanwhile(echo)
        control.heal()
        assert await asked == b"within"
        assert control.counters().bytes_up == len(b"beforewithin")
        assert control.half_open("client") == 1
        assert await echo.ends.get() == "RST"
        assert control.reset() == 1
        with pytest.raises(ConnectionResetError):
            await stream[0].read()
    with pytest.raises(Unavailable):
        control.counters()


async def test_what_makes_no_sense_is_refused_by_name(echo: Echo) -> None:
    for bad in ({"loss": 1.5}, {"latency_s": -1}, {"bytes_per_s": 0}, {"blocked": 1}, {"cut": "x"}):
        with pytest.raises(InvalidInput) as refused:
            Link(**bad)
        assert refused.value.violations[0].field == next(iter(bad))
    trees: list[dict[str, Any]] = [{"sideways": {}}, {"up": {"speed": 1}}, {"up": 3}, {"refusing": "yes"}]
    for tree in trees:
        with pytest.raises(InvalidInput):
            Conditions.from_json(tree)
    for listen in ("0.0.0.0:0", "127.0.0.1", "127.0.0.1:99999"):
        with pytest.raises(InvalidInput):
            async with TcpProxy.open(echo.address, listen):
                pass
    with spawned(echo.address) as control:
        told = await raw(control, b'nonsense\n[]\n{"do": "fly"}\n{"do": "partition", "with": ["left"]}\n')
        assert [b"error" in line for line in told] == [True] * 4
        assert control.counters().accepted == 0


async def raw(control: Control, lines: bytes) -> list[bytes]:
    host, port = control._control
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(lines)
    writer.write_eof()
    told = await reader.read()
    writer.close()
    return told.splitlines()


def test_others_can_not_steer_it() -> None:
    command = [sys.executable, "-m", "slipway.tcp_proxy", "--to", "127.0.0.1:1", "--control", "0.0.0.0:0"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert "control: 0.0.0.0 is not this machine alone; use 127.0.0.1" in told.stderr


def test_a_proxy_that_can_not_listen_says_why() -> None:
    with pytest.raises(SlipwayError), spawned("127.0.0.1:1", "127.0.0.1"):
        pass
