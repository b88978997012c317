"""Large values that lie in files of their publishers: the log keeps the file, by a link, in place of another copy.

Links are made and removed by whoever holds the log's write lock, and each has a row in its table ``file``.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

from slipway.durable import sync_folder
from slipway.events.errors import ValueLost
from slipway.events.port import Event, Span
from slipway.failpoints import hit

T = TypeVar("T")

_CANNOT = frozenset({errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOENT, errno.ENOTSUP})
_LEAST_BYTES = 8 * 1024  # below, a copy in the log's own file is less work than a place in another one


class ValueFiles:
    """The folder of linked files beside the log at ``log``."""

    def __init__(self, log: Path) -> None:
        self._folder = log.with_name(f"{log.name}-values")

    def prepare(self) -> None:
        """Make the folder, durably. Raises OSError."""
        if not self._folder.is_dir():
            self._folder.mkdir(exist_ok=True)
            sync_folder(self._folder.parent)

    def sync(self, events: Iterable[Event]) -> Collection[Path]:
        """Make the files that large values lie in durable; those that the disk fails on are left out."""
        synced = []
        for file in {span.file for one in events if (span := _large(one))}:
            try:
                fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fdatasync(fd)
                finally:
                    os.close(fd)
            except OSError:
                continue  # the values are at hand, and are copied
            synced.append(file)
        return synced

    def link(self, topic: int, file: Path) -> str | None:
        """Link a file for a topic, durably, unless it is already; its name here.

        None where it can't be had: from another disk, of another user, or where the name is another file's. Raises
        OSError.
        """
        name = f"{topic}-{file.name}"
        linked = self._folder / name
        try:
            hit("values.link.before")
            os.link(file, linked)
        except FileExistsError:
            # A spool that was put back from a backup may have another file of this name.
            return name if linked.samefile(file) else None
        except OSError as error:
            if error.errno in _CANNOT:
                return None
            raise
        try:
            hit("values.link.after")
            sync_folder(self._folder)
        except OSError:
            linked.unlink()  # else the next one would take its name for durable
            raise
        return name

    def unlink(self, names: Iterable[str]) -> None:
        """Let files go. Raises OSError."""
        for name in names:
            hit("values.unlink.before")
            (self._folder / name).unlink(missing_ok=True)
            hit("values.unlink.after")

    def sweep(self, names: Collection[str]) -> None:
        """Let all files go but these: a crash leaves some that no record names."""
        self.unlink(one.name for one in list(self._folder.iterdir()) if one.name not in names)

    @contextmanager
    def reading(self) -> Iterator[ValueReader]:
        """What reads values while this lasts."""
        with ExitStack() as opened:
            yield ValueReader(self._folder, opened)


class ValueReader:
    """Reads values from linked files, each opened once; made by :meth:`ValueFiles.reading`."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self._folder = folder
        self._opened = opened
        self._descriptors: dict[str, int] = {}

    def read(self, name: str, start: int, size: int) -> bytes:
        """The ``size`` bytes of a file from ``start`` on. Raises ValueLost, OSError."""
        try:
            value = os.pread(self._descriptor(name), size, start)
        except FileNotFoundError as error:
            raise ValueLost(self._folder / name) from error
        if len(value) != size:
            raise ValueLost(self._folder / name)
        return value

    def _descriptor(self, name: str) -> int:
        found = self._descriptors.get(name)
        if found is None:
            found = self._descriptors[name] = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC)
            self._opened.callback(os.close, found)
        return found


def in_file(event: Event, numbers: Mapping[Path, int]) -> tuple[int, int, int] | None:
    """The number of the file that an event's value is to be read from, its first byte and its size; None: a copy."""
    span = _large(event)
    if span is None or span.file not in numbers:
        return None
    return numbers[span.file], span.offset, span.size


def _large(event: Event) -> Span | None:
    """Where a value lies that is worth no copy."""
    return event.span if event.span and event.span.size >= _LEAST_BYTES else None


async def looked_up(look: Callable[[], Awaitable[T]]) -> T:
    """What ``look`` finds in one transaction; in another one where a trim took a value's file from under the first.

    Raises ValueLost where it is told again: nobody trimmed.
    """
    try:
        return await look()
    except ValueLost:
        return await look()
