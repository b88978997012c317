"""`slipway-registry` as a process: what it exits with, what it says, how it stops."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from slipway.rpc import status

COMMAND = Path(sys.executable).with_name("slipway-registry")
PATIENCE_S = 60.0


class Process:
    """One data folder, and the commands run on it."""

    def __init__(self, folder: Path) -> None:
        self.environment = os.environ | {
            "SLIPWAY_DATA": str(folder),
            "SLIPWAY_EVENTS": "",
            "SLIPWAY_REGISTRY_DATABASE": "",
            "SLIPWAY_REGISTRY_GRPC_LISTEN": "127.0.0.1:0",
            "SLIPWAY_REGISTRY_METRICS_LISTEN": "127.0.0.1:0",
        }

    async def begin(self, *arguments: str, **changes: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        environment = self.environment | changes
        return await asyncio.create_subprocess_exec(COMMAND, *arguments, env=environment, stdout=pipe, stderr=pipe)

    async def run(self, *arguments: str, **changes: str) -> tuple[int | None, str, str]:
        process = await self.begin(*arguments, **changes)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        return process.returncode, out.decode(), err.decode()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
        process = await self.begin("serve")
        assert process.stderr is not None
        try:
            async for line in process.stderr:
                told = json.loads(line)
                if told["message"] == "listening":
                    yield process, f"127.0.0.1:{told['port']}"
                    break
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process(tmp_path)


@pytest.fixture
async def migrated(process: Process) -> Process:
    assert (await process.run("migrate"))[0] == 0
    return process


async def test_sigterm_ends_watchers_with_unavailable_and_exits_0(migrated: Process) -> None:
    channel: Any
    async with migrated.serving() as (process, address), grpc.aio.insecure_channel(address) as channel:
        watch = channel.unary_stream("/slipway.registry.v1.RegistryService/WatchEndpoints")(b"")
        await watch.read()
        process.terminate()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await watch.read()
        pairs: Any = caught.value.trailing_metadata()
        error = status.decode(caught.value.code(), "", tuple(pairs))
        assert (caught.value.code(), error.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_verbs_exit_by_what_went_wrong(migrated: Process) -> None:
    async with migrated.serving() as (_, address):
        assert await migrated.run("models", "--json", SLIPWAY_REGISTRY_ADDRESS=address) == (0, "[]\n", "")
        for arguments, code, kind in (
            (("version", "Bad", "1"), 2, "invalid_argument"),
            (("endpoint", "none"), 3, "not_found"),
        ):
            ended, out, err = await migrated.run(*arguments, "--json", "--address", address)
            assert (ended, out, json.loads(err)["error"]["kind"]) == (code, "", kind)
    ended, out, err = await migrated.run("models", "--json", "--address", address)
    assert (ended, out, json.loads(err)["error"]["kind"]) == (4, "", "unavailable")


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        ("SLIPWAY_REGISTRY_GRPC_LISTEN", "rpc.listen"),
        ("SLIPWAY_REGISTRY_METRICS_LISTEN", "observe.metrics_listen"),
    ],
)
async def test_a_taken_port_exits_1_with_a_line_that_names_it(migrated: Process, variable: str, key: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen(1)
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        ended, _, err = await migrated.run("serve", **{variable: address})
    (told,) = [line for line in err.splitlines() if not line.startswith("{")]
    assert (ended, told.startswith("error: can't"), address in told, key in told) == (1, True, True, True)


async def test_a_database_that_was_not_migrated_is_refused_with_the_command(process: Process) -> None:
    ended, _, err = await process.run("serve")
    assert (ended, "slipway-registry migrate" in err, "Traceback" in err) == (1, True, False)


async def test_bad_configuration_exits_2_and_names_the_key(process: Process, tmp_path: Path) -> None:
    file = tmp_path / "registry.toml"
    file.write_text("[rpc]\nlisten_on = 1\n")
    for verb in ("serve", "check-config", "migrate"):
        ended, _, err = await process.run(verb, "--config", str(file))
        assert (ended, "rpc.listen_on: is not a known key" in err, "Traceback" in err) == (2, True, False)
    ended, _, err = await process.run("check-config", SLIPWAY_REGISTRY_GRPC_LISTEN="0.0.0.0:50051")
    assert (ended, "loopback" in err) == (2, True)


async def test_migrate_says_what_it_applied_and_is_safe_again(process: Process) -> None:
    assert json.loads((await process.run("migrate", "--json"))[1]) == {"applied": ["0001", "0002", "0003", "0004"]}
    assert json.loads((await process.run("migrate", "--json"))[1]) == {"applied": []}
    ended, out, _ = await process.run("check-config", "--json")
    assert (ended, json.loads(out)["rpc"]["max_deadline_s"]) == (0, 60.0)
