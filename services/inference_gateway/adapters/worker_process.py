"""Workers as processes: started, spoken to over a socket pair, ended."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import logging
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from services.inference_gateway.adapters.worker_frames import HEAD, Kind, LoadSettings, frame, pack_load
from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.device import Device
from services.inference_gateway.domain.errors import ModelFailed, UnusableModel, WorkerDied, WorkerNotStarted
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.domain.tensors import BadRaw, pack, unpack

log = logging.getLogger(__name__)

_WORKER = "services.inference_gateway.adapters.worker_main"


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How workers are run. One that answers nobody for ``run_timeout_s`` while batches wait is ended."""

    intra_op_threads: int = 1
    device: str = "auto"
    run_timeout_s: float = 10.0
    load_timeout_s: float = 60.0
    memory_limit_bytes: int = 0


class ProcessWorkers:
    """Starts a worker process for each version; see :class:`services.inference_gateway.ports.Workers`."""

    def __init__(self, settings: WorkerSettings, folder: Path) -> None:
        """``folder`` is where workers run: one that stays empty."""
        self._settings = settings
        self._folder = folder
        self.devices = _devices(settings)

    async def launch(self, spec: VersionSpec, model: bytes, device: Device) -> ProcessWorker:
        """See Workers."""
        worker = await self._started(str(spec.key))
        settings = LoadSettings(
            str(spec.key),
            spec.signature,
            self._settings.intra_op_threads,
            device.gpu,
            self._settings.memory_limit_bytes,
        )
        try:
            await worker.load(settings, model, self._settings.load_timeout_s)
        except BaseException:
            await worker.stop()
            raise
        if device.gpu is not None and worker.provider == "CPUExecutionProvider":
            log.warning("there is a GPU, but the worker runs on the CPU", extra={"version": str(spec.key)})
        return worker

    async def _started(self, version: str) -> ProcessWorker:
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as undone, theirs:
            undone.callback(ours.close)
            try:
                reader, writer = await asyncio.open_connection(sock=ours)
                undone.callback(writer.close)
                self._folder.mkdir(parents=True, exist_ok=True)
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", _WORKER, str(theirs.fileno()), str(os.getpid())),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    # Nothing lies there that a model could name.
                    cwd=self._folder,
                )
            except OSError as error:
                raise WorkerNotStarted(version) from error
            undone.pop_all()
        return ProcessWorker(version, process, reader, writer, self._settings.run_timeout_s)


class ProcessWorker:
    """One worker process; see :class:`services.inference_gateway.ports.Worker`."""

    def __init__(
        self,
        version: str,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        run_timeout_s: float,
    ) -> None:
        self._version = version
        self._process = process
        self._reader = reader
        self._writer = writer
        self._run_timeout_s = run_timeout_s
        self._requests = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._answered = 0
        self._timer: asyncio.TimerHandle | None = None
        self.died = asyncio.Event()
        self.provider = ""
        self._cause = ""
        self._listener = asyncio.create_task(self._listen(), name=f"replies of {version}")

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

    async def load(self, settings: LoadSettings, model: bytes, timeout_s: float) -> None:
        """Give the worker its model. Raises UnusableModel, WorkerDied."""
        kind, body = await self._ask(Kind.LOAD, pack_load(settings, model), timeout_s)
        if kind != Kind.READY:
            raise UnusableModel(f"{self._version} can't be served: {body.decode()}")
        self.provider = body.decode()

    async def run(self, inputs: Tensors) -> Tensors:
        """See Worker."""
        kind, body = await self._ask(Kind.RUN, pack(inputs), self._run_timeout_s)
        if kind != Kind.RESULT:
            raise ModelFailed(self._version, body.decode())
        try:
            return unpack(body)
        except BadRaw as error:
            raise ModelFailed(self._version, f"its answer {error}") from error

    async def stop(self) -> None:
        """See Worker."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
        self._rest()
        self._listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listener
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _ask(self, kind: Kind, body: bytes, timeout_s: float) -> tuple[int, bytes]:
        if self.died.is_set():
            raise WorkerDied(self._version)
        request = next(self._requests)
        reply: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[request] = reply
        self._watch(timeout_s)
        try:
            self._writer.write(frame(kind, request, body))
            await self._writer.drain()
            return await reply
        except ConnectionError as error:
            self._end()  # the listener has not read the end yet, and nobody may ask this process again
            raise WorkerDied(self._version) from error
        finally:
            del self._waiting[request]
            if not self._waiting:
                self._rest()
            if reply.done() and not reply.cancelled():
                reply.exception()  # the process may end while the request is still being written

    def _watch(self, timeout_s: float) -> None:
        """End the process if it answers nobody for ``timeout_s`` while somebody waits."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(timeout_s, self._look, timeout_s, self._answered)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, timeout_s: float, answered_before: int) -> None:
        self._timer = None
        if not self._waiting or self.died.is_set():
            return
        if self._answered > answered_before:
            self._watch(timeout_s)
            return
        log.error("a worker hangs and is ended", extra={"version": self._version, "timeout_s": timeout_s})
        self._cause = f"hung: it answered nothing for {timeout_s:g} s"
        self._end()

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._tell_death()

    def _tell_death(self) -> None:
        self.died.set()
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(WorkerDied(self._version))

    async def _listen(self) -> None:
        try:
            while True:
                length, request, kind = HEAD.unpack(await self._reader.readexactly(HEAD.size))
                body = await self._reader.readexactly(length)
                self._answered += 1
                reply = self._waiting.get(request)
                if reply is not None and not reply.done():
                    reply.set_result((kind, body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the process is gone, which the line below tells everyone who waits
        finally:
            self._tell_death()


def _devices(settings: WorkerSettings) -> list[Device]:
    cores = len(os.sched_getaffinity(0))
    useful = max(1, cores // settings.intra_op_threads) if settings.intra_op_threads else 1
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
