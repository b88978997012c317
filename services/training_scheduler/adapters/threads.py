"""Steps on threads of this process."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from services.training_scheduler.adapters.attempt import perform
from services.training_scheduler.adapters.capture import captured
from services.training_scheduler.adapters.library import Library
from services.training_scheduler.adapters.log_files import FileLogs
from services.training_scheduler.domain.errors import StepFailed
from services.training_scheduler.ports import Job, Output
from slipway.artifacts import ArtifactStore
from slipway.workflow import Connect

if TYPE_CHECKING:
    from slipway.client import Slipway

_log = logging.getLogger(__name__)
Made = tuple[bytes, Mapping[str, Any]]
Deliver = Callable[[Made | StepFailed], None]


class ThreadSteps:
    """Runs each attempt on a thread of its own.

    A thread can't be ended from outside: it is asked to, by its context, and left behind when its attempt is
    cancelled. Threads are daemons, so that one that does not listen can't keep the process. None outlives the
    process, so there is never one to take back.
    """

    def __init__(
        self,
        library: Library,
        artifacts: ArtifactStore,
        logs: FileLogs,
        connect: Connect,
        *,
        grace_s: float,
        max_output_bytes: int,
    ) -> None:
        self._library = library
        self._artifacts = artifacts
        self._logs = logs
        self._client = _Shared(connect)
        self._grace_s = grace_s
        self._max_output_bytes = max_output_bytes
        self._cancels: dict[str, threading.Event] = {}
        self._threads: set[threading.Thread] = set()

    async def run(self, job: Job) -> Output:
        """See Steps."""
        inputs = {name: await self._artifacts.read(digest) for name, digest in job.inputs.items()}
        data, summary = await self._called(job, inputs)
        stored = await self._artifacts.put(_once(data), limit_bytes=self._max_output_bytes)
        return Output(stored.digest, summary)

    async def _called(self, job: Job, inputs: Mapping[str, bytes]) -> Made:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Made] = loop.create_future()
        cancel = self._cancels.setdefault(job.run_id, threading.Event())

        def settle(result: Made | StepFailed) -> None:
            if answer.done():
                return
            if isinstance(result, StepFailed):
                answer.set_exception(result)
            else:
                answer.set_result(result)

        def deliver(result: Made | StepFailed) -> None:
            # The loop may be gone when a step that was left behind comes to its end.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, result)

        self._start(job, inputs, cancel, deliver)
        try:
            return await answer
        except asyncio.CancelledError:
            cancel.set()
            raise

    async def alive(self, run_id: str, step: str, attempt: int) -> bool:
        """See Steps."""
        return False

    def drop(self, run_id: str, step: str, attempt: int) -> None:
        """See Steps."""

    def cancel(self, run_id: str) -> None:
        """See Steps."""
        self._cancels.setdefault(run_id, threading.Event()).set()

    def forget(self, run_id: str) -> None:
        """See Steps."""
        self._cancels.pop(run_id, None)

    @property
    def left(self) -> int:
        """Threads that still run."""
        return sum(thread.is_alive() for thread in self._threads)

    async def start(self) -> None:
        """Nothing to start: a thread begins with its attempt."""

    async def stop(self) -> None:
        """Wait for the threads, which were told to end, as long as the grace allows; then close their client."""
        ends_at = time.monotonic() + self._grace_s
        for thread in tuple(self._threads):
            await asyncio.to_thread(thread.join, max(0.0, ends_at - time.monotonic()))
        if self.left:
            _log.warning("steps are left behind, unfinished", extra={"threads": self.left})
        await asyncio.to_thread(self._client.close)

    def _start(self, job: Job, inputs: Mapping[str, bytes], cancel: threading.Event, deliver: Deliver) -> None:
        def work() -> None:
            try:
                # The log is whole before anybody hears of the end.
                with captured(self._logs.path(job.run_id, job.step, job.attempt)):
                    result = self._call(job, inputs, cancel)
                deliver(result)
            finally:
                self._threads.discard(thread)

        thread = threading.Thread(target=work, name=f"{job.run_id}.{job.step}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _call(self, job: Job, inputs: Mapping[str, bytes], cancel: threading.Event) -> Made | StepFailed:
        try:
            return perform(
                self._library.workflow(job.workflow),
                run_id=job.run_id,
                step=job.step,
                attempt=job.attempt,
                params=job.params,
                inputs=inputs,
                connect=self._client.get,
                cancel=cancel,
            )
        except StepFailed as failed:
            return failed


class _Shared:
    """One client for all steps, made when the first asks."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._made: Slipway | None = None

    def get(self) -> Slipway:
        with self._lock:
            if self._made is None:
                self._made = self._connect()
            return self._made

    def close(self) -> None:
        with self._lock:
            if self._made is not None:
                self._made.close()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
