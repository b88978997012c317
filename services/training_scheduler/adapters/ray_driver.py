"""The Ray driver's process: started, spoken to over a socket pair, ended."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import sys
from typing import Any

from services.training_scheduler.adapters.ray_frames import HEAD, Kind, frame

_DRIVER = "services.training_scheduler.adapters.ray_main"


class DriverGone(Exception):
    """The process ended before it answered."""


class DriverFailed(Exception):
    """The driver can't meet the request; the text says why."""


class ActorLost(Exception):
    """The actor came to no end; the text says why."""


class Driver:
    """One driver process."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._requests = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.died = asyncio.Event()
        self._listener = asyncio.create_task(self._listen(), name="replies of the Ray driver")

    @classmethod
    async def start(cls, address: str) -> Driver:
        """Start the process for a cluster's head at ``address``; it dies with this one. Raises OSError."""
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as undone, theirs:
            undone.callback(ours.close)
            reader, writer = await asyncio.open_connection(sock=ours)
            undone.callback(writer.close)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _DRIVER, str(theirs.fileno()), str(os.getpid())),
                pass_fds=[theirs.fileno()],
                env=_environment(address),
                stdin=asyncio.subprocess.DEVNULL,
                # A service's stdout may be a pipe that nobody but its own words shall fill.
                stdout=sys.stderr.fileno() if hasattr(sys.stderr, "fileno") else asyncio.subprocess.DEVNULL,
            )
            undone.pop_all()
        return cls(process, reader, writer)

    async def ask(self, kind: Kind, body: Any) -> Any:
        """The answer. Raises DriverGone, DriverFailed, ActorLost."""
        if self.died.is_set():
            raise DriverGone
        request = next(self._requests)
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[request] = reply
        try:
            self._writer.write(frame(kind, request, body))
            await self._writer.drain()
            return await reply
        except ConnectionError as error:
            raise DriverGone from error
        finally:
            del self._waiting[request]
            if reply.done() and not reply.cancelled():
                reply.exception()  # looked at, even where the write failed first

    async def stop(self) -> None:
        """End the process; actors stay."""
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

    async def _listen(self) -> None:
        try:
            while True:
                length, request, kind = HEAD.unpack(await self._reader.readexactly(HEAD.size))
                body = json.loads(await self._reader.readexactly(length))
                reply = self._waiting.get(request)
                if reply is None or reply.done():
                    continue
                if kind == Kind.DONE:
                    reply.set_result(body)
                else:
                    reply.set_exception(ActorLost(body) if kind == Kind.LOST else DriverFailed(body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the process is gone, which the lines below tell everyone who waits
        finally:
            self.died.set()
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(DriverGone())


def _environment(address: str) -> dict[str, str]:
    """Of the driver. Ray would replace a loopback address by the machine's, where our head does not listen."""
    loopback = address.startswith(("127.", "localhost:"))
    return {**os.environ, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"} if loopback else dict(os.environ)
