"""Steps as detached actors of a Ray cluster, which outlive this process."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.training_scheduler.adapters.library import Library
from services.training_scheduler.adapters.log_files import FileLogs
from services.training_scheduler.adapters.ray_driver import ActorLost, Driver, DriverFailed, DriverGone
from services.training_scheduler.adapters.ray_frames import Kind, attempt_name, attempt_of
from services.training_scheduler.adapters.ray_link import RayLink
from services.training_scheduler.domain.errors import StepFailed
from services.training_scheduler.ports import Job, Output
from slipway.errors import SlipwayError

Wanted = Callable[[str, str, int], Awaitable[bool]]
_AGAIN_S = 1.0
_log = logging.getLogger(__name__)
_CANCELLED = "its run was cancelled"


@dataclass(frozen=True, slots=True)
class RayPlace:
    """Where actors run and what they need there; ``threads`` 0 leaves the number to each library."""

    address: str
    namespace: str
    cpus: float
    threads: int
    import_folders: Sequence[Path]
    artifacts: Path
    max_output_bytes: int


class RaySteps:
    """Runs each attempt in a detached actor that has no other, known to the cluster as ``<run>.<step>.<attempt>``.

    Its result stays there until it was committed and :meth:`drop` lets it go. A driver that dies, and the scheduler
    itself, find it again by that name. One that nobody wants any more (see ``wanted``) is ended at the next
    connection. While Ray is away, steps wait. An actor whose attempt succeeded may take the next one of the same code.
    """

    def __init__(self, library: Library, place: RayPlace, logs: FileLogs, wanted: Wanted) -> None:
        self._library = library
        self._place = place
        self._logs = logs
        self._wanted = wanted
        self._link = RayLink(place.address, place.namespace, self._end_orphans)
        self._running: dict[str, dict[str, asyncio.Future[Any]]] = {}
        self._cancelled: set[str] = set()
        self._succeeded: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def left(self) -> int:
        """Nothing runs in this process."""
        return 0

    async def start(self) -> None:
        """Connect behind the back of whoever starts: the scheduler serves without Ray."""
        self._keep(asyncio.create_task(self._link.keep(), name="Ray"))

    async def stop(self) -> None:
        """End the driver; actors go on."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def run(self, job: Job) -> Output:
        """See Steps."""
        if job.run_id in self._cancelled:
            raise StepFailed(_CANCELLED)
        name = attempt_name(job.run_id, job.step, job.attempt)
        asked = asyncio.ensure_future(self._result(name, order_of(self._library, self._place, self._logs, job)))
        self._running.setdefault(job.run_id, {})[name] = asked
        try:
            result = await asked
        except asyncio.CancelledError:
            if job.run_id in self._cancelled and asked.cancelled():
                raise StepFailed(_CANCELLED) from None
            asked.cancel()
            raise
        finally:
            self._running.get(job.run_id, {}).pop(name, None)
        if "error" in result:
            raise StepFailed(result["error"])
        self._succeeded.add(name)
        return Output(result["digest"], result["summary"])

    async def _result(self, name: str, order: Mapping[str, Any]) -> Any:
        body = {"name": name, "cpus": self._place.cpus, "order": order}
        while True:
            try:
                return await self._link.ask(Kind.RUN, body)
            except DriverGone:
                # Known again only if it still lives: a cluster that came back is another one, and this attempt over.
                if not await self._lives(name):
                    raise StepFailed("the Ray cluster went away while it ran") from None
            except ActorLost as lost:
                raise StepFailed(f"its Ray actor died: {lost}") from None
            except DriverFailed as failed:
                raise StepFailed(f"Ray can't run it: {failed}") from None

    async def _lives(self, name: str) -> bool:
        while True:
            try:
                return bool(await self._link.ask(Kind.FIND, {"name": name}))
            except DriverGone:
                continue
            except DriverFailed as failed:
                _log.warning("Ray can't tell of an attempt: %s", failed, extra={"attempt": name})
                await asyncio.sleep(_AGAIN_S)

    async def alive(self, run_id: str, step: str, attempt: int) -> bool:
        """See Steps; waits until Ray can tell."""
        return await self._lives(attempt_name(run_id, step, attempt))

    def drop(self, run_id: str, step: str, attempt: int) -> None:
        """See Steps."""
        name = attempt_name(run_id, step, attempt)
        well = name in self._succeeded
        self._succeeded.discard(name)
        self._tell_end(name, well=well)

    def cancel(self, run_id: str) -> None:
        """See Steps; its actors are ended at once."""
        self._cancelled.add(run_id)
        self._tell_end(run_id)
        for asked in self._running.get(run_id, {}).values():
            asked.cancel()

    def forget(self, run_id: str) -> None:
        """See Steps."""
        self._cancelled.discard(run_id)
        self._running.pop(run_id, None)
        self._succeeded = {one for one in self._succeeded if not one.startswith(f"{run_id}.")}

    def _tell_end(self, name: str, *, well: bool = False) -> None:
        if task := self._link.tell(Kind.END, {"name": name, "well": well}):
            self._keep(task)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_orphans(self, driver: Driver) -> None:
        for name in await driver.ask(Kind.LIST, {}):
            attempt = attempt_of(name)
            try:
                orphan = attempt is not None and not await self._wanted(*attempt)
            except SlipwayError as error:
                _log.warning("an attempt is not looked up, and goes on: %s", error.message, extra={"attempt": name})
                continue
            if orphan:
                _log.info("an attempt that nobody waits for is ended", extra={"attempt": name})
                await driver.ask(Kind.END, {"name": name})


def order_of(library: Library, place: RayPlace, logs: FileLogs, job: Job) -> dict[str, Any]:
    """All that an actor needs to run an attempt, as JSON."""
    threads = {"OMP_NUM_THREADS": str(place.threads)} if place.threads else {}
    return {
        "workflow": job.workflow,
        "module": library.module(job.workflow),
        "code_digest": library.workflow(job.workflow).code_digest,
        "run_id": job.run_id,
        "step": job.step,
        "attempt": job.attempt,
        "params": dict(job.params),
        "inputs": dict(job.inputs),
        "import_folders": [str(one) for one in place.import_folders],
        "artifacts": str(place.artifacts.resolve()),
        "max_output_bytes": place.max_output_bytes,
        "log": str(logs.path(job.run_id, job.step, job.attempt).resolve()),
        "folder": str(Path.cwd()),
        "environment": {**_addresses(os.environ), **threads},
    }


def _addresses(environ: Mapping[str, str]) -> dict[str, str]:
    """Where the platform is. A database's URL may hold a password, and is no step's business."""
    return {
        name: value for name, value in environ.items() if name.startswith("SLIPWAY_") and not name.endswith("_DATABASE")
    }
