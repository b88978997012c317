"""One loaded version: its worker, kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.errors import ModelFailed, QueueFull, UnusableModel, WorkerDied
from services.inference_gateway.domain.outputs import shaped, warm_row
from services.inference_gateway.domain.signature import Tensors, check_servable
from services.inference_gateway.ports import Models, Worker, Workers
from slipway.clock import Clock

log = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 10.0


class Runner:
    """Runs batches on a worker; starts another when it dies, and retries what it died on once.

    At most ``limit`` batches wait or run; more are refused with QueueFull.
    """

    def __init__(self, spec: VersionSpec, models: Models, workers: Workers, clock: Clock, limit: int) -> None:
        self.spec = spec
        self._models = models
        self._workers = workers
        self._clock = clock
        self._limit = limit
        self._pending = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._worker: Worker | None = None
        self._up = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._second_tries = asyncio.Lock()
        self._stopped = False

    @property
    def worker(self) -> Worker | None:
        """The worker that answers now; None while another one starts."""
        return self._worker if self._up.is_set() else None

    async def start(self) -> None:
        """Load, answer a warm-up row, and keep a worker up from then on. Raises UnusableModel, WorkerDied."""
        self._worker = await self._launch()
        self._up.set()
        self._keeper = asyncio.create_task(self._keep(), name=f"worker of {self.spec.key}")

    async def run(self, inputs: Tensors, rows: int) -> Tensors:
        """The outputs, [rows, …] each. Raises QueueFull, ModelFailed, WorkerDied after the second death."""
        if self._pending >= self._limit:
            raise QueueFull(str(self.spec.key), self._limit)
        self._pending += 1
        self._idle.clear()
        try:
            return await self._run(inputs, rows)
        except WorkerDied:
            log.warning("a batch is tried again on another worker", extra={"version": str(self.spec.key)})
            # One after the other: what kills its second worker takes no other second try with it.
            async with self._second_tries:
                return await self._run(inputs, rows)
        finally:
            self._pending -= 1
            if not self._pending:
                self._idle.set()

    async def stop(self, grace_s: float) -> None:
        """Let what runs finish within the grace, then end the worker."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        if self._worker is not None:
            await self._worker.stop()
        # Whoever still waits for a worker waits no longer.
        self._stopped = True
        self._up.set()

    async def _run(self, inputs: Tensors, rows: int) -> Tensors:
        outputs = await (await self._live()).run(inputs)
        try:
            return shaped(self.spec.signature, outputs, rows)
        except ValueError as error:
            raise ModelFailed(str(self.spec.key), str(error)) from error

    async def _live(self) -> Worker:
        """The worker, or the next one while it is being replaced."""
        while True:
            await self._up.wait()
            if self._worker is None or self._stopped:
                raise WorkerDied(str(self.spec.key))
            if not self._worker.died.is_set():
                return self._worker
            self._up.clear()  # the keeper has not seen it yet

    async def _launch(self) -> Worker:
        signature = self.spec.signature
        if why := check_servable(signature):
            raise UnusableModel(f"{self.spec.key} can't be served: {why}")
        worker = await self._workers.launch(self.spec, await self._models.fetch(self.spec))
        try:
            shaped(signature, await worker.run(warm_row(signature)), rows=1)
        except BaseException as error:
            await worker.stop()
            if isinstance(error, (ValueError, ModelFailed)):
                raise UnusableModel(f"{self.spec.key} failed its warm-up row: {error}") from error
            raise
        return worker

    async def _keep(self) -> None:
        delay = _FIRST_DELAY_S
        while True:
            assert self._worker is not None  # noqa: S101  (start() came first)
            began = self._clock.monotonic()
            await self._worker.died.wait()
            self._up.clear()
            log.error("a worker ended; another one starts", extra={"version": str(self.spec.key)})
            await self._worker.stop()
            if self._clock.monotonic() - began > _LONGEST_DELAY_S:
                delay = _FIRST_DELAY_S
            while True:
                try:
                    self._worker = await self._launch()
                    break
                except Exception:
                    # Whatever it was, callers wait for the next try.
                    log.exception("a worker did not come up again", extra={"version": str(self.spec.key)})
                    await self._clock.sleep(delay)
                    delay = min(delay * 2, _LONGEST_DELAY_S)
            self._up.set()
