"""Getting a worker that is ready for traffic: fetched, loaded, warm."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.device import Device
from services.inference_gateway.domain.outputs import repeated, warm_row
from services.inference_gateway.domain.signature import Tensors, check_servable
from services.inference_gateway.domain.worker_errors import ModelFailed, UnusableModel
from services.inference_gateway.engine.recorded import Recorded
from services.inference_gateway.ports import Models, Worker, Workers
from slipway.clock import Clock

log = logging.getLogger(__name__)

_LONG_S = 1.0  # a warm-up batch that would take longer is left out


class Launch:
    """Starts workers, and hands over none that has not answered warm-up rows as its signature says."""

    def __init__(self, models: Models, workers: Workers, clock: Clock, warm_rows: Sequence[int] = (1,)) -> None:
        """``warm_rows`` are the sizes of the warm-up batches, so that arenas are as large as traffic needs them."""
        self.models = models
        self._workers = workers
        self._clock = clock
        self._sizes = sorted({1, *warm_rows})
        self.recorded = Recorded()

    def places(self, per_device: int) -> list[Device]:
        """Where the workers of one version go, ``per_device`` on each device or as many as are of use there."""
        devices = self._workers.devices
        # Round by round, so that the first ones are on different devices.
        return [one for place in range(per_device) for one in devices if place < max(1, one.useful_workers)]

    @property
    def devices(self) -> int:
        """How many there are."""
        return len(self._workers.devices)

    async def worker(self, spec: VersionSpec, device: Device) -> Worker:
        """A warm worker. Raises UnusableModel, WorkerDied, and whatever keeps the artifact away."""
        if why := check_servable(spec.signature):
            raise UnusableModel(f"{spec.key} can't be served: {why}")
        worker = await self._workers.launch(spec, await self.models.fetch(spec), device)
        try:
            await self._warm(spec, worker)
        except BaseException:
            await worker.stop()
            raise
        return worker

    async def _warm(self, spec: VersionSpec, worker: Worker) -> None:
        synthetic = warm_row(spec.signature)
        try:
            await worker.run(synthetic)
        except ModelFailed as error:
            raise UnusableModel(f"{spec.key} failed its warm-up row: {error}") from error
        rows = self.recorded.rows(spec) or synthetic
        took_s, before = 0.0, 1
        for size in self._sizes:
            if took_s * size / before > _LONG_S:
                break
            began = self._clock.monotonic()
            if not await self._answers(spec, worker, repeated(rows, size)):
                break
            took_s, before = self._clock.monotonic() - began, size

    async def _answers(self, spec: VersionSpec, worker: Worker, rows: Tensors) -> bool:
        try:
            await worker.run(rows)
        except ModelFailed as error:
            # It answers the row that every version must; what it makes of others is for the guardrails to judge.
            log.warning("a version fails on warm-up rows", extra={"version": str(spec.key), "why": error.message})
            return False
        return True
