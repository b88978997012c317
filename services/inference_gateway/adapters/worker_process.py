"""Workers as processes: started, spoken to over a socket pair, ended."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import logging
import socket
import sys
from dataclasses import dataclass

from services.inference_gateway.adapters.worker_frames import HEAD, Kind, LoadSettings, frame, pack_load
from services.inference_gateway.domain.desired import VersionSpec
from services.inference_gateway.domain.errors import ModelFailed, UnusableModel, WorkerDied
from services.inference_gateway.domain.signature import Tensors
from services.inference_gateway.domain.tensors import pack, unpack

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How workers are run."""

    intra_op_threads: int = 1
    device: str = "auto"
    run_timeout_s: float = 10.0
    load_timeout_s: float = 60.0
    memory_limit_bytes: int = 0


class ProcessWorkers:
    """Starts a worker process for each version; see :class:`services.inference_gateway.ports.Workers`."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._use_gpu = settings.device == "cuda" or (settings.device == "auto" and _has_gpu())

    async def launch(self, spec: VersionSpec, model: bytes) -> ProcessWorker:
        """See Workers."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.inference_gateway.adapters.worker_main",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = ProcessWorker(str(spec.key), process, reader, writer, self._settings.run_timeout_s)
        settings = LoadSettings(
            str(spec.key),
            spec.signature,
            self._settings.intra_op_threads,
            self._use_gpu,
            self._settings.memory_limit_bytes,
        )
        try:
            await worker.load(settings, model, self._settings.load_timeout_s)
        except BaseException:
            await worker.stop()
            raise
        if self._use_gpu and worker.provider == "CPUExecutionProvider":
            log.warning("there is a GPU, but the worker runs on the CPU", extra={"version": str(spec.key)})
        return worker


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
        self.died = asyncio.Event()
        self.provider = ""
        self._listener = asyncio.create_task(self._listen(), name=f"replies of {version}")

    @property
    def pid(self) -> int:
        """See Worker."""
        return self._process.pid

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
        return unpack(body)

    async def stop(self) -> None:
        """See Worker."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await self._process.wait()
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
        try:
            async with asyncio.timeout(timeout_s) as timer:
                self._writer.write(frame(kind, request, body))
                await self._writer.drain()
                return await reply
        except TimeoutError:
            if not timer.expired():
                raise
            log.error("a worker hangs and is ended", extra={"version": self._version, "timeout_s": timeout_s})
            self._process.kill()
            raise WorkerDied(self._version) from None
        except ConnectionError as error:
            raise WorkerDied(self._version) from error
        finally:
            self._waiting.pop(request, None)

    async def _listen(self) -> None:
        try:
            while True:
                length, request, kind = HEAD.unpack(await self._reader.readexactly(HEAD.size))
                body = await self._reader.readexactly(length)
                reply = self._waiting.get(request)
                if reply is not None and not reply.done():
                    reply.set_result((kind, body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the process is gone, which the lines below tell everyone who waits
        finally:
            self.died.set()
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(WorkerDied(self._version))


def _has_gpu() -> bool:
    """Whether a CUDA driver and a device are there; asked without loading ONNX Runtime's CUDA libraries."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0
