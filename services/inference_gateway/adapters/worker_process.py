"""Workers as processes: started, spoken to over a socket pair, ended."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path

from services.inference_gateway.adapters.worker_channel import Channel, Refused
from services.inference_gateway.adapters.worker_forks import Child, Forks
from services.inference_gateway.adapters.worker_frames import LoadSettings, pack_load
from services.inference_gateway.adapters.worker_memory import Slot, fixed_file
from services.inference_gateway.adapters.worker_priority import behind
from services.inference_gateway.adapters.worker_profile import Profile
from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.device import Device
from services.inference_gateway.domain.outputs import Outputs
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.domain.worker_errors import UnusableModel, WorkerNotStarted
from slipway import lifecycle

log = logging.getLogger(__name__)

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SLOTS = 2
"""Batches that a worker has at once: one runs while the next one lies ready."""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How workers are run. One that answers nobody for ``run_timeout_s`` while batches wait is ended."""

    profile: Profile = field(default_factory=Profile)
    device: str = "auto"
    run_timeout_s: float = 10.0
    load_timeout_s: float = 60.0
    memory_limit_bytes: int = 0


class ProcessWorkers:
    """Starts a worker process for each version; see :class:`services.inference_gateway.ports.Workers`."""

    def __init__(self, settings: WorkerSettings, folder: Path) -> None:
        """``folder`` is where workers run: one that stays empty."""
        self._settings = settings
        self._forks = Forks(folder)
        self.devices = _devices(settings)

    async def launch(self, spec: VersionSpec, model: bytes, device: Device) -> ProcessWorker:
        """See Workers."""
        settings = LoadSettings(
            str(spec.key),
            spec.signature,
            self._settings.profile,
            device.gpu,
            self._settings.memory_limit_bytes,
        )
        try:
            # Written behind the loop's back: a model may be large.
            given = await asyncio.to_thread(fixed_file, pack_load(settings, model))
        except OSError as error:
            raise WorkerNotStarted(str(spec.key)) from error
        try:
            try:
                worker = await self._started(spec, given)
            except WorkerNotStarted:
                worker = await self._started(spec, given)  # what workers are forked from may have ended
        finally:
            os.close(given)
        try:
            # Where ONNX Runtime is to choose, it counts the cores that it may use.
            apart = self._settings.profile.intra_op_threads > 0
            with behind(worker.pid, apart=apart):
                await worker.load(self._settings.load_timeout_s)
        except BaseException:
            await worker.stop()
            raise
        if device.gpu is not None and worker.provider == "CPUExecutionProvider":
            log.warning("there is a GPU, but the worker runs on the CPU", extra={"version": str(spec.key)})
        return worker

    async def aclose(self) -> None:
        """Give up what starting needs; the workers that run go on."""
        await self._forks.close()

    async def _started(self, spec: VersionSpec, given: int) -> ProcessWorker:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as undone, theirs:
            undone.callback(ours.close)
            try:
                ours.setblocking(False)
                slots = []
                for _ in range(SLOTS):
                    slots.append(Slot.make())
                    undone.callback(slots[-1].close)
                child = await self._forks.fork([theirs.fileno(), given, *(slot.descriptor for slot in slots)])
                worker = ProcessWorker(spec, child, ours, slots, self._settings.run_timeout_s)
            except OSError as error:
                raise WorkerNotStarted(str(spec.key)) from error
            undone.pop_all()
        return worker


class ProcessWorker:
    """One worker process; see :class:`services.inference_gateway.ports.Worker`."""

    def __init__(
        self,
        spec: VersionSpec,
        process: Child,
        line: socket.socket,
        slots: list[Slot],
        run_timeout_s: float,
    ) -> None:
        self._version = str(spec.key)
        self._process = process
        self._channel = Channel(self._version, spec.signature, line, slots, self._end)
        self._run_timeout_s = run_timeout_s
        self._cause = ""
        self._stopped = False
        self.died = asyncio.Event()
        self.provider = ""

    @property
    def pid(self) -> int:
        """See Worker."""
        return self._process.pid

    @property
    def cause(self) -> str:
        """See Worker."""
        code = self._process.returncode
        if code is None or self._cause:
            return self._cause
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"

    async def load(self, timeout_s: float) -> None:
        """Wait for the worker to load its model. Raises UnusableModel, WorkerDied."""
        try:
            self.provider = await self._channel.loaded(timeout_s)
        except Refused as error:
            raise UnusableModel(f"{self._version} can't be served: {error}") from error

    async def run(self, inputs: Tensors) -> Outputs:
        """See Worker."""
        return await self._channel.run(inputs, self._run_timeout_s)

    @property
    def memory_bytes(self) -> int:
        """See Worker."""
        try:
            _, resident, shared, *_ = Path(f"/proc/{self.pid}/statm").read_text().split()
        except OSError:
            return 0
        return (int(resident) - int(shared)) * _PAGE_BYTES

    async def drained(self) -> None:
        """See Worker."""
        await self._channel.drained()

    async def stop(self) -> None:
        """See Worker."""
        if not self._stopped:
            self._stopped = True
            self._channel.close()
            self._process.kill()
        await self._process.wait()

    def _end(self, why: str) -> None:
        if why:
            log.error("a worker is ended", extra={"version": self._version, "why": why})
            self._cause = why
        self._process.kill()
        self.died.set()


def _devices(settings: WorkerSettings) -> list[Device]:
    threads = settings.profile.intra_op_threads
    useful = max(1, int(lifecycle.cores()) // threads) if threads else 1
    gpus = 0 if settings.device == "cpu" else _gpus()
    if settings.device == "cuda":
        gpus = max(1, gpus)  # what it can't have it says when it starts
    return [Device(useful, gpu) for gpu in range(gpus)] or [Device(useful)]


def _gpus() -> int:
    """How many CUDA devices there are; asked without loading ONNX Runtime's CUDA libraries."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    return count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0
