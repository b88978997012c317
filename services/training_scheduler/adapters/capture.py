"""What a step prints and logs on its thread goes to its own file."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

from services.training_scheduler.adapters.log_files import StepLines

_log = logging.getLogger(__name__)
_SINK: ContextVar[TextIO | None] = ContextVar("step_log", default=None)


@contextlib.contextmanager
def captured(path: Path) -> Iterator[None]:
    """Send what this thread prints and logs to the end of a file, while :func:`routing` is on.

    A thread that the step starts does not take part: its lines stay the service's. Without a disk to write on, the
    step runs and its lines are lost, which the service's log says.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
    except OSError as error:
        _log.warning("a step's log is not kept: %s", error.strerror, extra={"path": str(path)})
        yield
        return
    with contextlib.suppress(OSError), file:
        token = _SINK.set(file)
        try:
            yield
        finally:
            _SINK.reset(token)


@contextlib.contextmanager
def routing() -> Iterator[None]:
    """Let steps that are captured have their own stdout, stderr and log until left."""
    handler = _Handler()
    handler.setFormatter(StepLines())
    before = sys.stdout, sys.stderr
    routed = _Routed(before[0]), _Routed(before[1])
    sys.stdout, sys.stderr = routed
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        if (sys.stdout, sys.stderr) == routed:
            sys.stdout, sys.stderr = before


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sink = _SINK.get()
        if sink is not None:
            with contextlib.suppress(OSError, ValueError):
                sink.write(f"{self.format(record)}\n")


class _Routed(io.TextIOBase):
    """A stream that writes to the step's file on a captured thread, and to the process's own elsewhere."""

    def __init__(self, own: TextIO) -> None:
        self._own = own

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """As the process's own."""
        return self._own.encoding

    def write(self, text: str) -> int:
        """Write where this thread's lines go."""
        return (_SINK.get() or self._own).write(text)

    def flush(self) -> None:
        """Flush it."""
        (_SINK.get() or self._own).flush()

    def writable(self) -> bool:
        """It is."""
        return True

    def isatty(self) -> bool:
        """As the process's own, but for a step."""
        return _SINK.get() is None and self._own.isatty()

    def fileno(self) -> int:
        """The process's own, for what writes below Python."""
        return self._own.fileno()
