"""Steps' logs as files: ``<root>/<run>/<step>.<attempt>.log``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from slipway.errors import Unavailable

_READ_BYTES = 64 * 1024


class FileLogs:
    """Logs in a folder that this process, or one that runs steps for it, writes to."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, run_id: str, step: str, attempt: int) -> Path:
        """Where an attempt writes; the names were checked where they came in."""
        return self._root / run_id / f"{step}.{attempt}.log"

    async def read(self, run_id: str, step: str, attempt: int, offset: int, *, last: bool) -> tuple[Sequence[str], int]:
        """See Logs."""
        try:
            data = await asyncio.to_thread(_part, self.path(run_id, step, attempt), offset)
        except OSError as error:
            raise LogUnreadable(run_id, error.strerror or type(error).__name__) from error
        full = len(data) == _READ_BYTES
        if (full and b"\n" in data) or not (full or last):
            data = data[: data.rfind(b"\n") + 1]
        lines = data.decode(errors="replace").split("\n")
        if lines[-1] == "":
            lines.pop()
        return [one.rstrip("\r") for one in lines], offset + len(data)


class LogUnreadable(Unavailable):
    """The file of a log can't be read now."""

    reason = "LOG_UNREADABLE"

    def __init__(self, run_id: str, why: str) -> None:
        super().__init__(f"a log of {run_id} can't be read ({why}); see the data folder", facts={"run_id": run_id})


class StepLines(logging.Formatter):
    """A log record as a line for people: time (UTC), level, logger, message, and the facts of ``StepContext.log``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback below it."""
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        facts = getattr(record, "facts", None) or {}
        told = " ".join([record.getMessage(), *(f"{name}={value}" for name, value in facts.items())])
        line = f"{moment} {record.levelname:<7} {record.name}: {told}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _part(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(_READ_BYTES)
    except FileNotFoundError:
        return b""  # the attempt has not come to its first line
