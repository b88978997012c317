"""An operator's second chance for a version, on real worker processes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.inference_gateway.adapters.worker_process import ProcessWorkers, WorkerSettings
from services.inference_gateway.domain.desired import Desired, Endpoint, Route, VersionKey, VersionSpec
from services.inference_gateway.domain.errors import NotReady, VersionNotWanted
from services.inference_gateway.domain.guardrail import Guardrails
from services.inference_gateway.domain.quarantine import Patience
from services.inference_gateway.domain.signature import DataType
from services.inference_gateway.engine.guard import Guard
from services.inference_gateway.engine.launch import Launch
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.engine.runner import Pool
from slipway.clock import ManualClock, SystemClock

KEY = VersionKey("m", 1)
PAUSE_S = 0.01  # between looks


class Shelf:
    """Artifacts of one version; what it has may change."""

    model = b""

    async def fetch(self, spec: VersionSpec) -> bytes:
        return self.model


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def reconciler(shelf: Shelf, tmp_path: Path, versioned: Any) -> AsyncIterator[Reconciler]:
    """Wants version 1; its clock stands still, so that nothing is tried again by itself."""
    guard = Guard(Guardrails(20, 0.5, 3), SystemClock())
    pool = Pool(1, Patience(1, 300.0))
    async with (
        aclosing(ProcessWorkers(WorkerSettings(device="cpu"), tmp_path / "workers")) as workers,
        Reconciler(Launch(shelf, workers, SystemClock()), ManualClock(), pool, guard, 0.0) as reconciler,
    ):
        spec = versioned({"a": DataType.FP32, "b": DataType.FP32})
        reconciler.want(Desired(1, {"e": Endpoint("e", (Route("main", KEY, 1),), 1)}, {KEY: spec}))
        yield reconciler


async def test_a_quarantine_ends_when_an_operator_loads_the_version(
    reconciler: Reconciler, shelf: Shelf, onnx_models: Any
) -> None:
    await reconciler.settled()
    await reconciler.settled()
    shelf.model = onnx_models.add()
    await reconciler.reload(KEY)
    [arm] = reconciler.arms("e")
    [worker] = arm.runner.workers
    os.kill(worker.pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        while not arm.runner.quarantined:
            await asyncio.sleep(PAUSE_S)
    assert "is in quarantine: 1 of its workers died" in reconciler.failures[KEY]
    await reconciler.reload(KEY)
    assert [one.pid for one in arm.runner.workers] != [worker.pid]
    assert reconciler.failures == {}


async def test_a_version_that_can_t_be_loaded_is_tried_again_at_once_when_asked_for(
    reconciler: Reconciler, shelf: Shelf, onnx_models: Any
) -> None:
    await reconciler.settled()
    assert "can't load it" in reconciler.failures[KEY]
    with pytest.raises(NotReady, match="can't load it"):
        await reconciler.reload(KEY)
    shelf.model = onnx_models.add()
    await reconciler.reload(KEY)
    assert reconciler.failures == {}
    assert len(reconciler.arms("e")) == 1


async def test_a_version_that_no_endpoint_has_is_not_loaded(reconciler: Reconciler) -> None:
    with pytest.raises(VersionNotWanted, match="no endpoint of this gateway has m/7"):
        await reconciler.reload(VersionKey("m", 7))


async def test_what_takes_no_traffic_makes_place_and_what_does_keeps_it(
    reconciler: Reconciler, shelf: Shelf, tmp_path: Path, onnx_models: Any
) -> None:
    await reconciler.settled()
    shelf.model = onnx_models.add()
    await reconciler.reload(KEY)
    [alone] = reconciler.runners
    took = alone.memory_bytes
    guard, pool = Guard(Guardrails(20, 0.5, 3), SystemClock()), Pool(1, Patience(1, 300.0))
    # Room for one that is there, one that is expected, and a little.
    budget = took + took // 8 + 48 * 2**20 + 3 * len(shelf.model)
    one, two, three, four = (VersionKey("m", number) for number in (1, 2, 3, 4))
    specs = {key: replace(alone.spec, key=key) for key in (one, two, three, four)}
    async with (
        aclosing(ProcessWorkers(WorkerSettings(device="cpu"), tmp_path / "workers")) as workers,
        Reconciler(Launch(shelf, workers, SystemClock()), ManualClock(), pool, guard, 0.0, budget_bytes=budget) as full,
    ):

        def want(revision: int, *routes: Route) -> None:
            main = Route("main", one, 1)
            endpoints = {route.name: Endpoint(route.name, (main, route), revision) for route in routes}
            endpoints["a"] = Endpoint("a", (main,), 1)
            full.want(Desired(revision, endpoints, {key: specs[key] for key in (one, *(r.version for r in routes))}))

        want(1)
        await full.settled()
        want(2, Route("e", two, 0))
        await full.settled()
        assert {runner.spec.key for runner in full.runners} == {one, two}
        want(3, Route("e", two, 0), Route("f", three, 1))
        await full.settled()
        assert {runner.spec.key for runner in full.runners} == {one, three}
        assert "m/2 was unloaded to make place for another version" in full.failures[two]
        want(4, Route("e", four, 1), Route("f", three, 1))
        await full.settled()
        assert {runner.spec.key for runner in full.runners} == {one, three}
        assert "m/4 needs about" in full.failures[four]
        want(5, Route("e", four, 1))
        await full.reload(four)
        assert {runner.spec.key for runner in full.runners} == {one, four}
