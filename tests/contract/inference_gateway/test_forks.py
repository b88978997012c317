"""The process that workers are forked from, for real."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.inference_gateway.adapters.worker_process import ProcessWorker, ProcessWorkers, WorkerSettings
from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.signature import DataType

WORKER = b"slipway-worker\n"
ROW = {"a": np.ones(1, np.float32), "b": np.full(1, 2, np.float32)}


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[ProcessWorkers]:
    async with aclosing(ProcessWorkers(WorkerSettings(device="cpu"), tmp_path / "workers")) as workers:
        yield workers


@pytest.fixture
def spec(versioned: Any) -> VersionSpec:
    return versioned({"a": DataType.FP32, "b": DataType.FP32})  # type: ignore[no-any-return]


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def servers() -> list[int]:
    found = map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
    return [pid for pid in found if b"worker_fork_server" in of(pid, "cmdline") and of(pid, "comm") != WORKER]


def of(pid: int, what: str) -> bytes:
    """What the kernel tells of a process; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/{what}").read_bytes()
    except OSError:
        return b""


def sockets_of(pid: int) -> set[str]:
    links = {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()}
    return {link for link in links if link.startswith("socket:")}


async def answers(worker: ProcessWorker) -> bool:
    return (await worker.run(ROW))["y"].tolist() == [[3.0]]


async def test_all_workers_are_this_process_s_children_and_their_server_is_one(
    workers: ProcessWorkers, spec: VersionSpec, onnx_models: Any
) -> None:
    device = workers.devices[0]
    started = await asyncio.gather(*(workers.launch(spec, onnx_models.add(), device) for _ in range(3)))
    assert {parent(worker.pid) for worker in started} == {os.getpid()}
    assert len(servers()) == 1
    assert all([await answers(worker) for worker in started])
    for worker in started:
        await worker.stop()


async def test_workers_outlive_their_server_and_the_next_ones_have_another(
    workers: ProcessWorkers, spec: VersionSpec, onnx_models: Any
) -> None:
    device = workers.devices[0]
    first = await workers.launch(spec, onnx_models.add(), device)
    [server] = servers()
    os.kill(server, signal.SIGKILL)
    second = await workers.launch(spec, onnx_models.add(), device)
    assert await answers(first)
    assert await answers(second)
    assert servers() != [server]
    for worker in (first, second):
        await worker.stop()


async def test_how_a_worker_ended_is_known_though_another_process_made_it(
    workers: ProcessWorkers, spec: VersionSpec, onnx_models: Any
) -> None:
    worker = await workers.launch(spec, onnx_models.add(), workers.devices[0])
    os.kill(worker.pid, signal.SIGSEGV)
    await worker.died.wait()
    await worker.stop()
    assert worker.cause in {"ended by SIGSEGV", "ended by SIGKILL"}
    assert not Path(f"/proc/{worker.pid}").exists()


async def test_a_worker_is_handed_nothing_of_its_siblings(
    workers: ProcessWorkers, spec: VersionSpec, onnx_models: Any
) -> None:
    device = workers.devices[0]
    started = [await workers.launch(spec, onnx_models.add(), device) for _ in range(2)]
    sockets = [sockets_of(worker.pid) for worker in started]
    assert [len(one) for one in sockets] == [1, 1]
    assert not sockets[0] & sockets[1]
    for worker in started:
        await worker.stop()


async def test_closing_ends_the_server_and_no_worker(
    workers: ProcessWorkers, spec: VersionSpec, onnx_models: Any
) -> None:
    worker = await workers.launch(spec, onnx_models.add(), workers.devices[0])
    await workers.aclose()
    assert servers() == []
    assert await answers(worker)
    await worker.stop()


async def test_orphans_of_others_are_not_taken_in(workers: ProcessWorkers, spec: VersionSpec, onnx_models: Any) -> None:
    worker = await workers.launch(spec, onnx_models.add(), workers.devices[0])
    # A shell that ends before what it began in the background.
    told = await asyncio.create_subprocess_exec(
        *("sh", "-c", "sleep 60 >&2 & echo $!"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert told.stdout is not None
    orphan = int(await told.stdout.readline())
    await told.wait()
    try:
        assert parent(orphan) != os.getpid()
    finally:
        os.kill(orphan, signal.SIGKILL)
    await worker.stop()


async def test_where_no_process_can_be_had_the_error_says_so_and_the_next_try_succeeds(
    workers: ProcessWorkers, spec: VersionSpec, onnx_models: Any
) -> None:
    first = await workers.launch(spec, onnx_models.add(), workers.devices[0])
    [server] = servers()
    opened = len(list(Path(f"/proc/{server}/fd").iterdir()))
    # What the server may open is bounded, so that it can't make the pipe that tells of a worker.
    resource.prlimit(server, resource.RLIMIT_NOFILE, (opened + 4, opened + 4))
    second = await workers.launch(spec, onnx_models.add(), workers.devices[0])
    assert servers() != [server]
    assert await answers(second)
    for worker in (first, second):
        await worker.stop()
