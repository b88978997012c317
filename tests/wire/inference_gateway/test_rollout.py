from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import Any

import pytest

from slipway.client import ColumnSpec, DataType, Prediction, Route, Signature, TensorSpec, VersionState
from slipway.errors import Kind, SlipwayError

PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for


class Load:
    """Callers that ask without a pause, and never retry."""

    def __init__(self, world: Any, endpoint: str, callers: int = 8) -> None:
        self.answers: list[Prediction] = []
        self._world = world
        self._endpoint = endpoint
        self._callers = callers
        self._going = True

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(self._callers)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._going = False
        await asyncio.gather(*self._tasks)

    async def more(self, count: int = 50) -> None:
        """Return when so many more were answered."""
        until = len(self.answers) + count
        while len(self.answers) < until and not any(task.done() for task in self._tasks):
            await asyncio.sleep(PAUSE_S)

    async def _ask(self) -> None:
        while self._going:
            self.answers += await self._world.client.inference.predict(self._endpoint, [self._world.row])


async def test_an_alias_moves_without_a_failed_request(world: Any) -> None:
    registry = world.client.registry
    first, second = await world.register(100.0), await world.register(200.0)
    await registry.set_alias("m", "champion", first)
    await registry.put_endpoint("late", [Route("main", "m", alias="champion")])
    await world.ready("late", first)
    old = (await world.status("late")).routes[0].worker_pid
    async with Load(world, "late") as load:
        await load.more()
        await registry.set_alias("m", "champion", second)
        await world.ready("late", second)
        await load.more()
        await registry.set_alias("m", "champion", first)
        await world.ready("late", first)
        await load.more()
    seen = [one.version for one in load.answers]
    assert set(seen) == {first, second}
    assert {(one.version, one.outputs["p"][0]) for one in load.answers} == {(first, 101.0), (second, 201.0)}
    assert (await world.status("late")).routes[0].worker_pid != old


async def test_a_version_has_run_rows_of_late_traffic_before_it_takes_any(world: Any, caplog: Any) -> None:
    """It can't score what its predecessor was asked last, and no synthetic row would have shown that."""
    takes = Signature((ColumnSpec("x", DataType.INT64),), (TensorSpec("y", DataType.FP32, (-1,)),))
    sturdy, brittle = [
        await world.register(artifact=one, takes=takes) for one in (world.models.looping(), world.models.brittle())
    ]
    await world.route("late", ("main", sturdy, 1))
    await world.ready("late", sturdy)

    def heard(version: int) -> list[str]:
        return [one.getMessage() for one in caplog.records if getattr(one, "version", "") == f"m/{version}"]

    caplog.set_level(logging.INFO, logger="services.inference_gateway")
    await world.client.inference.predict("late", [{"x": 1}])
    await world.route("other", ("main", brittle, 1))
    await world.ready("other", brittle)
    assert heard(brittle) == ["a version is ready"]  # a row like the last one it can score
    await world.client.registry.delete_endpoint("other")
    await world.client.inference.predict("late", [{"x": 7}])
    caplog.clear()
    await world.route("late", ("main", brittle, 1))
    await world.ready("late", brittle)
    assert heard(brittle) == ["a version fails on warm-up rows", "a version is ready"]


async def test_a_broken_version_leaves_the_old_one_serving_and_says_why(world: Any) -> None:
    good = await world.standing("late", 100.0)
    broken = await world.register(artifact=world.models.zipmap())
    async with Load(world, "late") as load:
        await load.more()
        await world.route("late", ("main", broken, 1))
        [arm] = await world.until("late", lambda arms: arms[0].state is VersionState.FAILED)
        assert (arm.desired_version, arm.serving_version) == (broken, good)
        assert "m/2 can't be served" in arm.reason
        await load.more()
        await world.route("late", ("main", good, 1))
        await world.ready("late", good)
    assert {one.version for one in load.answers} == {good}
    assert (await world.status("late")).routes[0].reason == ""


async def test_a_first_version_that_is_broken_is_unavailable_with_the_reason_and_alone(world: Any) -> None:
    await world.standing("late")
    broken = await world.register(model="b", artifact=b"junk")
    await world.route("broken", ("main", broken, 1), model="b")
    await world.until("broken", lambda arms: arms[0].state is VersionState.FAILED)
    with pytest.raises(SlipwayError) as caught:
        await world.client.inference.predict("broken", [world.row])
    assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "ENDPOINT_NOT_READY")
    assert "can't be served" in caught.value.message
    await world.client.inference.predict("late", [world.row])


async def test_a_deleted_endpoint_is_gone_and_its_worker_too(world: Any, eventually: Any) -> None:
    await world.standing("late")
    pid = (await world.status("late")).routes[0].worker_pid
    await world.client.registry.delete_endpoint("late")

    async def gone() -> bool:
        return await world.status("late") is None and not running(pid)

    await eventually(gone)
    with pytest.raises(SlipwayError) as caught:
        await world.client.inference.predict("late", [world.row])
    assert (caught.value.kind, caught.value.reason) == (Kind.NOT_FOUND, "ENDPOINT_NOT_FOUND")


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_worker_that_is_killed_costs_no_request(world: Any) -> None:
    await world.standing("late")
    async with Load(world, "late") as load:
        for _ in range(3):
            await load.more()
            [arm] = await world.until("late", lambda arms: arms[0].worker_pid > 0)
            os.kill(arm.worker_pid, signal.SIGKILL)
            killed = arm.worker_pid
            await world.until("late", lambda arms, old=killed: arms[0].worker_pid not in {0, old})  # type: ignore[misc]
        await load.more()


async def test_a_worker_that_hangs_costs_no_request(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(worker={"device": "cpu", "run_timeout_s": 0.3})
    await world.standing("late")
    async with Load(world, "late") as load:
        await load.more()
        pid = (await world.status("late")).routes[0].worker_pid
        os.kill(pid, signal.SIGSTOP)
        await world.until("late", lambda arms: arms[0].worker_pid not in {0, pid})
        await load.more()
    assert not running(pid)
