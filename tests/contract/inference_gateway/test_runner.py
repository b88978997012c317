"""A version's pool of real worker processes: a retry elsewhere, room that comes and goes, quarantine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.inference_gateway.adapters.worker_process import ProcessWorkers, WorkerSettings
from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.device import Device
from services.inference_gateway.domain.quarantine import Patience
from services.inference_gateway.domain.signature import DataType
from services.inference_gateway.domain.worker_errors import Quarantined, UnusableModel, WorkerDied
from services.inference_gateway.engine.launch import Launch
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.runner import Pool, Runner
from services.inference_gateway.engine.upkeep import Upkeep
from slipway.clock import SystemClock

ENDLESS = 10**12
Start = Callable[..., Awaitable[Runner]]
PAUSE_S = 0.01  # between looks


class OneModel:
    """Artifacts of one version."""

    def __init__(self, model: bytes) -> None:
        self._model = model

    async def fetch(self, spec: VersionSpec) -> bytes:
        return self._model


@pytest.fixture
async def start(tmp_path: Path, onnx_models: Any, versioned: Any) -> AsyncIterator[Start]:
    """Starts pools of a model that counts to ``x``, and ends them."""
    async with AsyncExitStack() as started:

        async def begin(
            workers: int = 2, deaths: int = 100, told: Any = print, model: bytes | None = None, **settings: Any
        ) -> Runner:
            processes = ProcessWorkers(WorkerSettings(**{"device": "cpu", **settings}), tmp_path / "workers")
            started.push_async_callback(processes.aclose)
            processes.devices = [Device(useful_workers=2)]
            spec = versioned({"x": DataType.INT64}, {"y": (DataType.FP32, (-1,))})
            launch = Launch(
                OneModel(onnx_models.looping() if model is None else model), processes, SystemClock(), (1, 8)
            )
            runner = Runner(spec, launch, SystemClock(), Pool(workers, Patience(deaths, 300.0)), told)
            started.push_async_callback(runner.stop, 0.0)
            await runner.start()
            return runner

        yield begin


def counting_to(number: int) -> tuple[dict[str, Any], int]:
    return {"x": np.array([number])}, 1


async def room(runner: Runner, capacity: int) -> None:
    """Return when so many batches may be in flight."""
    async with asyncio.timeout(30):
        while runner.capacity != capacity:
            await asyncio.sleep(PAUSE_S)


async def test_a_batch_runs_beside_one_that_takes_long(start: Start) -> None:
    runner = await start()
    assert len({worker.pid for worker in runner.workers}) == 2
    assert runner.capacity == 4
    long = asyncio.create_task(runner.run(*counting_to(ENDLESS)))
    for number in range(5):
        assert (await runner.run(*counting_to(number)))["y"].shape == (1,)
    assert not long.done()
    long.cancel()


async def test_no_more_workers_start_than_the_device_has_use_for(start: Start) -> None:
    assert len((await start(workers=5)).workers) == 2


async def test_what_a_worker_died_on_is_answered_by_the_other_and_the_room_comes_back(start: Start) -> None:
    runner = await start()
    first, second = runner.workers
    os.kill(first.pid, signal.SIGSTOP)
    asked = [asyncio.create_task(runner.run(*counting_to(n))) for n in range(6)]
    await asyncio.sleep(0)
    os.kill(first.pid, signal.SIGKILL)
    await room(runner, 2)
    assert [worker.pid for worker in runner.workers] == [second.pid]
    assert len(await asyncio.gather(*asked)) == 6
    await room(runner, 4)
    assert first.pid not in {worker.pid for worker in runner.workers}


async def test_past_its_deadline_a_batch_is_not_tried_again(start: Start) -> None:
    runner = await start(run_timeout_s=0.2)
    before = {worker.pid for worker in runner.workers}
    with pytest.raises(WorkerDied):
        await runner.run(*counting_to(ENDLESS), deadline=SystemClock().monotonic() + 0.1)
    assert len(before & {worker.pid for worker in runner.workers}) == 1


async def test_a_version_that_kills_its_workers_is_put_in_quarantine_until_it_is_released(start: Start) -> None:
    told: list[Any] = []
    runner = await start(workers=1, deaths=3, told=lambda *one: told.append(one), run_timeout_s=0.2)
    with pytest.raises(WorkerDied):
        await runner.run(*counting_to(ENDLESS))
    assert told == []
    with pytest.raises(Quarantined, match="3 of its workers died within 300 s, the last one hung"):
        await runner.run(*counting_to(ENDLESS))
    assert [str(key) for key, _ in told] == ["m/1"]
    assert (runner.capacity, list(runner.workers)) == (0, [])
    with pytest.raises(Quarantined):
        await runner.run(*counting_to(1))
    runner.release()
    assert (await runner.run(*counting_to(1)))["y"].shape == (1,)


async def test_a_version_that_kills_its_workers_while_they_start_is_put_in_quarantine(start: Start) -> None:
    told: list[Any] = []
    with pytest.raises(Quarantined, match="the last one while it started"):
        await start(deaths=1, told=lambda *one: told.append(one), load_timeout_s=0.001)
    assert len(told) == 1


async def test_a_model_that_can_t_be_served_is_no_death(start: Start) -> None:
    with pytest.raises(UnusableModel):
        await start(deaths=1, model=b"junk")


async def test_rows_that_a_model_answered_warm_its_next_worker(start: Start) -> None:
    runner = await start(workers=1, run_timeout_s=0.2)
    [before] = runner.workers
    await runner.run(*counting_to(1000))
    os.kill(before.pid, signal.SIGKILL)
    await room(runner, 0)
    await room(runner, 2)
    assert (await runner.run(*counting_to(3)))["y"].shape == (1,)


async def test_a_worker_that_grows_is_replaced_and_no_batch_fails(start: Start) -> None:
    runner = await start(workers=1)
    upkeep = Upkeep(lambda: [runner], Meter(), SystemClock(), growth_limit_bytes=8 * 2**20, every_s=1.0)
    [before] = runner.workers
    await upkeep.look(runner)
    assert list(runner.workers) == [before]
    await runner.run({"x": np.zeros(4_000_000, np.int64)}, 4_000_000)
    asked = [asyncio.create_task(runner.run(*counting_to(200_000))) for _ in range(5)]
    await asyncio.sleep(0)
    await upkeep.look(runner)
    assert len(await asyncio.gather(*asked)) == 5
    [after] = runner.workers
    assert after.pid != before.pid
    assert before.died.is_set()
    assert (await runner.run(*counting_to(1)))["y"].shape == (1,)
