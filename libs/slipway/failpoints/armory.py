"""What is armed in this process now, and how often each place was reached."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway.errors import InvalidInput
from slipway.failpoints.file import FILE_VARIABLE, armed, count_down
from slipway.failpoints.spec import Entry, parse

_log = logging.getLogger(__name__)

VARIABLE = "SLIPWAY_FAILPOINTS"


@dataclass(slots=True)
class _Counted:
    entry: Entry
    reached: int = 0


class Armory:
    """The failpoints that the environment and a watched file arm. For any number of threads."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take note of what the environment says; it is read at the first use."""
        self._spec = environ.get(VARIABLE, "")
        named = environ.get(FILE_VARIABLE)
        self._file = Path(named) if named else None
        self._stamp: tuple[int, int, int] | None = None
        self._own: dict[str, _Counted] | None = None
        self._shared: dict[str, _Counted] = {}
        self._lock = threading.RLock()

    @property
    def file(self) -> Path | None:
        """The file that is watched."""
        return self._file

    def entries(self) -> tuple[Entry, ...]:
        """What is armed now. Raises InvalidInput for a spec or a file that can't be read."""
        own = tuple(one.entry for one in self._environment().values())
        return own + (armed(self._file) if self._file else ())

    def due(self, name: str) -> Entry | None:
        """Count that the place was reached; what it shall do now, already counted down.

        Raises InvalidInput for a spec of the environment that can't be read.
        """
        with self._lock:
            return self._due_of_environment(name) or self._due_of_file(name)

    def _environment(self) -> dict[str, _Counted]:
        with self._lock:
            if self._own is None:
                self._own = {one.name: _Counted(one) for one in parse(self._spec, VARIABLE)}
            return self._own

    def _due_of_environment(self, name: str) -> Entry | None:
        own = self._environment()
        counted = own.get(name)
        if counted is None or not _reached(counted):
            return None
        entry = counted.entry
        left = entry.fired()
        if left is None:
            del own[name]
        else:
            own[name] = _Counted(left)
        return entry

    def _due_of_file(self, name: str) -> Entry | None:
        if self._file is None:
            return None
        self._look(self._file)
        counted = self._shared.get(name)
        if counted is None or not _reached(counted):
            return None
        if counted.entry.times is None:
            return counted.entry
        return counted.entry if self._counted_down(self._file, counted.entry) else None

    def _look(self, file: Path) -> None:
        """Read the file again if it was replaced. An entry that stands as it stood keeps its count."""
        stamp = _stamp(file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            entries = armed(file)
        except InvalidInput as error:
            _log.error("nothing is armed by %s: %s", FILE_VARIABLE, error.message)
            entries = ()
        before = self._shared
        self._shared = {}
        for entry in entries:
            counted = before.get(entry.name)
            self._shared[entry.name] = counted if counted and counted.entry == entry else _Counted(entry)

    def _counted_down(self, file: Path, entry: Entry) -> bool:
        try:
            return count_down(file, entry)
        except (InvalidInput, OSError) as error:
            _log.error("%s stays as it is: %s can't be counted down: %s", entry.name, FILE_VARIABLE, error)
            return False


def _reached(counted: _Counted) -> bool:
    counted.reached += 1
    return counted.reached >= counted.entry.nth


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
