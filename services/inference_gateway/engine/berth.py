"""A place for one worker, filled again whenever it falls empty."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from services.inference_gateway.domain.worker_errors import WorkerDied
from services.inference_gateway.ports import Worker
from slipway.clock import Clock

log = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 10.0


class Berth:
    """Holds a worker of one version on one device; tells ``on_change`` when one came up or went, ``on_death`` how."""

    def __init__(
        self,
        version: str,
        launch: Callable[[], Awaitable[Worker]],
        clock: Clock,
        on_change: Callable[[], None],
        on_death: Callable[[str], None],
    ) -> None:
        self._version = version
        self._launch = launch
        self._clock = clock
        self._on_change = on_change
        self._on_death = on_death
        self._worker: Worker | None = None
        self._warm_bytes = 0
        self._keeper: asyncio.Task[None] | None = None
        self.running = 0
        """Rows that its worker has now."""

    @property
    def worker(self) -> Worker | None:
        """The worker that answers now; None while another one starts."""
        worker = self._worker
        return None if worker is None or worker.died.is_set() else worker

    async def fill(self) -> None:
        """Launch a worker, once. Raises as :meth:`Launch.worker`; a death is told."""
        self._seat(await self._launched())

    def keep(self) -> None:
        """Have a worker here from now on."""
        self._keeper = asyncio.create_task(self._keep(), name=f"worker of {self._version}")

    @property
    def grown_bytes(self) -> int:
        """By how much its worker's memory grew since it was warm; 0 while there is none."""
        worker = self.worker
        return worker.memory_bytes - self._warm_bytes if worker is not None else 0

    async def renew(self) -> None:
        """Put another worker in the place of this one, which then drains and ends. Raises as :meth:`fill`."""
        old = self._worker
        new = await self._launched()
        if old is None or self._worker is not old:
            await new.stop()  # it ended by itself meanwhile, and has a successor or is to have none
            return
        self._seat(new)
        try:
            await old.drained()
        finally:
            await old.stop()

    async def empty(self) -> None:
        """End the worker, and start no other."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._worker is not None:
            await self._worker.stop()
            self._worker = None

    async def _launched(self) -> Worker:
        try:
            return await self._launch()
        except WorkerDied:
            self._on_death("while it started")
            raise

    def _seat(self, worker: Worker) -> None:
        self._worker = worker
        self._warm_bytes = worker.memory_bytes
        self._on_change()

    async def _keep(self) -> None:
        delay = _FIRST_DELAY_S
        while True:
            if self._worker is None:
                delay = await self._fill_again(delay)
            assert self._worker is not None  # noqa: S101  (filled above)
            began = self._clock.monotonic()
            worker = self._worker
            await worker.died.wait()
            if worker is not self._worker:
                continue  # another has its place
            self._on_change()
            await worker.stop()
            cause = worker.cause
            if worker is self._worker:
                self._worker = None
            log.error("a worker ended; another one starts", extra={"version": self._version, "why": cause})
            self._on_death(cause)
            if self._clock.monotonic() - began > _LONGEST_DELAY_S:
                delay = _FIRST_DELAY_S

    async def _fill_again(self, delay: float) -> float:
        """Fill, however long it takes; the next time's first pause."""
        while True:
            try:
                await self.fill()
                return delay
            except Exception:
                # Whatever it was, callers wait for the next try.
                log.exception("a worker did not come up", extra={"version": self._version})
            await self._clock.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_S)
