"""Getting a worker that is ready for traffic: fetched, loaded, warm."""

from __future__ import annotations

from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.device import Device
from services.inference_gateway.domain.errors import ModelFailed, UnusableModel
from services.inference_gateway.domain.outputs import warm_row
from services.inference_gateway.domain.signature import check_servable
from services.inference_gateway.ports import Models, Worker, Workers


class Launch:
    """Starts workers, and hands over none that has not answered a warm-up row as its signature says."""

    def __init__(self, models: Models, workers: Workers) -> None:
        self._models = models
        self._workers = workers

    def places(self, per_device: int) -> list[Device]:
        """Where the workers of one version go, ``per_device`` on each device or as many as are of use there."""
        devices = self._workers.devices
        # Round by round, so that the first ones are on different devices.
        return [one for place in range(per_device) for one in devices if place < max(1, one.useful_workers)]

    async def worker(self, spec: VersionSpec, device: Device) -> Worker:
        """A warm worker. Raises UnusableModel, WorkerDied, and whatever keeps the artifact away."""
        if why := check_servable(spec.signature):
            raise UnusableModel(f"{spec.key} can't be served: {why}")
        worker = await self._workers.launch(spec, await self._models.fetch(spec), device)
        try:
            await self._warm(spec, worker)
        except BaseException:
            await worker.stop()
            raise
        return worker

    async def _warm(self, spec: VersionSpec, worker: Worker) -> None:
        try:
            await worker.run(warm_row(spec.signature))
        except ModelFailed as error:
            raise UnusableModel(f"{spec.key} failed its warm-up row: {error}") from error
