"""The gateway's side of the process that workers are forked from."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from services.inference_gateway.adapters.worker_frames import FORKED
from services.inference_gateway.adapters.worker_priority import behind

_PR_SET_CHILD_SUBREAPER = 36
_SERVER = "services.inference_gateway.adapters.worker_fork_server"
_PATIENCE_S = 30.0
_UNKNOWN = 255  # as asyncio says of a child that another has waited for
_REQUEST = b"\0"


class Child:
    """A process that became a child of this one; its end is told by a descriptor, whoever started it."""

    def __init__(self, pid: int) -> None:
        """Raises OSError when there is none."""
        self.pid = pid
        self.returncode: int | None = None
        """As :class:`subprocess.Popen` has it: None while it runs, negative for a signal."""
        self._handle = os.pidfd_open(pid)
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._handle, self._end)

    def kill(self) -> None:
        """End it, if it runs."""
        if self.returncode is None:
            # By the descriptor: a number may be another process's by now.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    async def wait(self) -> None:
        """Return when it has ended."""
        await self._ended.wait()

    def _end(self) -> None:
        try:
            told = os.waitid(os.P_PIDFD, self._handle, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            self.returncode = _UNKNOWN  # somebody else has been told
        else:
            if told is None:
                return
            self.returncode = told.si_status if told.si_code == os.CLD_EXITED else -told.si_status
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        self._ended.set()


class _Orphans:
    """Children's children whose parents end: they become this process's, as long as somebody is in the block.

    No longer: those of others would stay behind as zombies, for nobody here waits for them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0

    def __enter__(self) -> None:
        with self._lock:
            self._take_in(True)
            self._wanted += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._wanted -= 1
            self._take_in(self._wanted > 0)

    @staticmethod
    def _take_in(wanted: bool) -> None:
        if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(wanted)):
            raise OSError("this process can't take in its children's children")


_orphans = _Orphans()


class Forks:
    """Workers by the dozen; the process that they are forked from starts with the first, and again if it ended."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is where workers run: one that stays empty."""
        self._folder = folder
        self._turn = asyncio.Lock()
        self._running: tuple[socket.socket, asyncio.subprocess.Process] | None = None

    async def fork(self, descriptors: Sequence[int]) -> Child:
        """A new worker that is handed these. Raises OSError when there can be none.

        Hand others over to try again: nobody knows who has these by now.
        """
        forking = asyncio.ensure_future(self._forked(descriptors))
        try:
            return await asyncio.shield(forking)
        except asyncio.CancelledError:
            # The server answers in any case, and its answer is nobody else's.
            await asyncio.wait([forking])
            if not forking.cancelled() and forking.exception() is None:
                forking.result().kill()
                await forking.result().wait()
            raise

    async def close(self) -> None:
        """End the process; its workers go on."""
        async with self._turn:
            await self._end()

    async def _forked(self, descriptors: Sequence[int]) -> Child:
        async with self._turn:
            try:
                with _orphans:
                    pid = await self._asked(descriptors)
            except BaseException:
                await self._end()  # its answer is nobody else's, and a new one may do better
                raise
        try:
            return Child(pid)
        except OSError:
            os.kill(pid, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, pid, 0)
            raise

    async def _asked(self, descriptors: Sequence[int]) -> int:
        line, server = self._running or await self._started()
        # The kernel copies memory meanwhile, and lets others on only where they count for more. On all cores, as a
        # worker begins where its server is, and ONNX Runtime may count what it sees.
        with behind(server.pid, apart=False):
            socket.send_fds(line, [_REQUEST], descriptors)
            async with asyncio.timeout(_PATIENCE_S):
                told = await asyncio.get_running_loop().sock_recv(line, FORKED.size)
        if not told:
            raise ConnectionResetError("the process that workers are forked from has ended")
        pid = int(FORKED.unpack(told)[0])
        if not pid:
            raise OSError("there is no room for another process")
        return pid

    async def _started(self) -> tuple[socket.socket, asyncio.subprocess.Process]:
        self._folder.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with contextlib.ExitStack() as undone, theirs:
            undone.callback(ours.close)
            ours.setblocking(False)
            server = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _SERVER, str(os.getpid()), str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                # Nothing lies there that a model could name.
                cwd=self._folder,
                # NumPy computes nothing there, but would start a thread a core, which no fork takes along.
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            )
            undone.pop_all()
        self._running = ours, server
        return self._running

    async def _end(self) -> None:
        if self._running is None:
            return
        (line, server), self._running = self._running, None
        line.close()
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()
