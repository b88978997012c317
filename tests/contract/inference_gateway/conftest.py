"""Real worker processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from services.inference_gateway.adapters.worker_process import ProcessWorker, ProcessWorkers, WorkerSettings
from services.inference_gateway.domain.desired import VersionKey, VersionSpec
from services.inference_gateway.domain.signature import ColumnSpec, DataType, Signature, TensorSpec

Launch = Callable[..., Awaitable[ProcessWorker]]


def version(inputs: dict[str, DataType], outputs: dict[str, Any] | None = None, **shapes: Any) -> VersionSpec:
    """A version that takes columns by name and type, and gives ``y`` as FP32 [-1, 1] unless said otherwise.

    ``shapes`` are those of columns of vectors.
    """
    given = {"y": (DataType.FP32, (-1, 1))} if outputs is None else outputs
    signature = Signature(
        tuple(ColumnSpec(name, kind, shape=shapes.get(name, ())) for name, kind in inputs.items()),
        tuple(TensorSpec(name, *one) for name, one in given.items()),
    )
    return VersionSpec(VersionKey("m", 1), "sha256:00", signature)


@pytest.fixture
def versioned() -> Callable[..., VersionSpec]:
    return version


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """Starts workers, and ends those that a test left."""
    async with AsyncExitStack() as started:

        async def begin(spec: VersionSpec, model: bytes, **settings: Any) -> ProcessWorker:
            workers = ProcessWorkers(WorkerSettings(**{"device": "cpu", **settings}), tmp_path / "workers")
            started.push_async_callback(workers.aclose)
            worker = await workers.launch(spec, model, workers.devices[0])
            started.push_async_callback(worker.stop)
            return worker

        yield begin
