"""The file that arms failpoints of running processes, and counts them down for all of them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway.errors import invalid_field
from slipway.failpoints.spec import Entry, parse, render

FILE_VARIABLE = "SLIPWAY_FAILPOINTS_FILE"


def arm(file: Path, spec: str) -> None:
    """Let the processes that watch ``file`` have exactly this armed, from the next failpoint that they reach on.

    Raises InvalidInput, and OSError where the file can't be written.
    """
    entries = parse(spec, "spec")
    with _locked(file):
        _write(file, entries)


def disarm(file: Path) -> None:
    """Let nothing be armed by ``file``. Raises OSError."""
    arm(file, "")


def armed(file: Path) -> tuple[Entry, ...]:
    """What ``file`` arms now: what has acted as often as it should is gone. Raises InvalidInput."""
    return parse(_text(file), FILE_VARIABLE)


def count_down(file: Path, entry: Entry) -> bool:
    """Take one of the times that ``entry`` may act; False where another process has changed or taken it before.

    It is on record before the caller acts, and so before it kills itself. A machine that loses power may forget it.
    Raises InvalidInput, OSError.
    """
    with _locked(file):
        entries = {one.name: one for one in armed(file)}
        if entries.get(entry.name) != entry:
            return False
        left = entry.fired()
        if left is None:
            del entries[entry.name]
        else:
            entries[entry.name] = left
        _write(file, tuple(entries.values()))
        return True


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise invalid_field(FILE_VARIABLE, f"{file} can't be read ({error}); name a text file") from error


def _write(file: Path, entries: tuple[Entry, ...]) -> None:
    # Not by slipway.durable, which has failpoints of its own.
    staged = file.with_name(f"{file.name}.staged")
    staged.write_text(render(entries), encoding="utf-8")
    staged.replace(file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    fd = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)
