"""One child process: started tied to this one, in a session of its own, writing to a log file."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Mapping, Sequence
from pathlib import Path

from slipway.supervisor.spec import Owner

_TETHER = Path(__file__).with_name("tether.py")


class Child:
    """A running child. It has its own session, so that a terminal's Ctrl-C reaches the supervisor alone."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, command: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path, owner: Owner | None = None
    ) -> Child:
        """Run ``command`` (an absolute path first); its output is appended to ``log``. Raises OSError."""
        become = f"{owner.uid}:{owner.gid}:{owner.folder}" if owner else ""
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), become, *command),
                env=dict(env),
                cwd=cwd,
                stdin=DEVNULL,
                stdout=descriptor,
                stderr=STDOUT,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        return cls(process)

    @property
    def pid(self) -> int:
        """The child's process id, and that of its session."""
        return self._process.pid

    async def wait(self) -> int:
        """The exit code once it ended; negative for a signal."""
        return await self._process.wait()

    async def stop(self, grace_s: float, number: signal.Signals = signal.SIGTERM) -> None:
        """Send ``number``, then SIGKILL after ``grace_s``; returns when it ended.

        Only the child itself is asked: it drains its own workers.
        """
        self._signal(number)
        try:
            await asyncio.wait_for(self._process.wait(), grace_s)
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def kill(self) -> None:
        """SIGKILL, now."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            try:
                self._process.send_signal(number)
            except ProcessLookupError:
                return


def ending(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
