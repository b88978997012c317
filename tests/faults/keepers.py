"""Everything that keeps a file, killed at each of its failpoints. Run as a process: it forks, and has no threads then.

Prints one JSON object a line: the failpoint, how the process that met it ended, what is read afterwards, what an
armed disk-full came to, and what a last write left.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import tempfile
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from services.inference_gateway.adapters.disabled_file import DisabledFile
from services.inference_gateway.adapters.snapshot_file import SnapshotFile
from services.inference_gateway.domain.desired import Desired, VersionKey
from services.inference_gateway.domain.guardrail import Disabled
from services.registry.cli.values import write_whole
from slipway.artifacts import FileArtifacts
from slipway.durable import replace_file
from slipway.errors import SlipwayError
from slipway.events import Event, Span
from slipway.events.sqlite import SqliteEventLog
from slipway.failpoints import Name, arming
from slipway.spool import START, Spool
from slipway.supervisor.ray import token_file
from slipway.supervisor.state import State, read_state, write_state

REFUSED = 7


class Keeper:
    """Keeps one number in a folder of its own. ``refuses``: what it can't do it tells whoever asked."""

    refuses = True

    def __init__(self, folder: Path) -> None:
        self.path = folder / "kept"

    @abstractmethod
    def write(self, number: int) -> None:
        """Keep another number."""

    @abstractmethod
    def read(self) -> int:
        """The number that is kept."""


class Replaced(Keeper):
    def write(self, number: int) -> None:
        replace_file(self.path, str(number).encode())

    def read(self) -> int:
        return int(self.path.read_text())


class Downloaded(Replaced):
    def write(self, number: int) -> None:
        write_whole(self.path, str(number).encode())


class Supervised(Keeper):
    def write(self, number: int) -> None:
        (self.path / "run").mkdir(parents=True, exist_ok=True)
        write_state(self.path, State(data="", supervisor=None, services=(), backing=(), note=str(number)))

    def read(self) -> int:
        state = read_state(self.path)
        assert state is not None
        return int(state.note or "")


class Secret(Keeper):
    """The highest number whose folder has a token."""

    def write(self, number: int) -> None:
        token_file(self.path / str(number))

    def read(self) -> int:
        tokens = {int(one.parts[-3]): one.read_text() for one in self.path.glob("*/ray/token")}
        assert all(len(token) == 64 for token in tokens.values())
        return max(tokens)


class Snapshot(Keeper):
    def write(self, number: int) -> None:
        asyncio.run(SnapshotFile(self.path).store(Desired(number, {}, {})))

    def read(self) -> int:
        desired = asyncio.run(SnapshotFile(self.path).load())
        assert desired is not None
        return desired.revision


class Arms(Keeper):
    def write(self, number: int) -> None:
        arm = Disabled("late", "main", VersionKey("m", 1), number, "it fails", datetime(2013, 1, 1, tzinfo=UTC))
        asyncio.run(DisabledFile(self.path).store([(arm, False)]))

    def read(self) -> int:
        ((arm, _),) = asyncio.run(DisabledFile(self.path).load())
        return arm.revision


class Artifacts(Keeper):
    """The highest number whose bytes are there; opening sweeps what dead writers left."""

    def write(self, number: int) -> None:
        asyncio.run(FileArtifacts(self.path).put(_bytes_of(number), limit_bytes=100))

    def read(self) -> int:
        store = FileArtifacts(self.path)
        assert list((self.path / "staging").iterdir()) == []
        digests = {number: f"sha256:{sha256(str(number).encode()).hexdigest()}" for number in (1, 2, 3)}
        return max(number for number, digest in digests.items() if asyncio.run(store.has(digest)))


class Spooled(Keeper):
    """The last frame of a spool; each opening begins a segment."""

    def open(self) -> Spool:
        return Spool.open(self.path, segment_bytes=1000, limit_bytes=10_000, sync="always")

    def write(self, number: int) -> None:
        with self.open() as spool:
            spool.append([str(number).encode()])

    def read(self) -> int:
        with self.open() as spool:
            assert spool.corrupt_bytes == 0
            return int([*spool.frames(START)][-1][1])


class Foreseen(Spooled):
    """As above, a large piece of the frame written before it; without a disk for that it is written with it."""

    refuses = False

    def write(self, number: int) -> None:
        lead, piece = b"5", str(number).encode() * 300
        with self.open() as spool:
            spool.write_ahead(piece, len(lead))
            spool.append([(lead, piece, b"")])

    def read(self) -> int:
        with self.open() as spool:
            assert spool.corrupt_bytes == 0
            last = [*spool.frames(START)][-1][1].decode()
        assert last == "5" + last[-1] * 300
        return int(last[-1])


class Torn(Spooled):
    """As above, with a torn tail that is cut at the next opening."""

    def write(self, number: int) -> None:
        super().write(number)
        # The last frame's segment; each opening has made a new one, which is empty.
        last = max((one for one in self.path.glob("*.frames") if one.stat().st_size), key=lambda one: one.name)
        for empty in self.path.glob("*.frames"):
            if empty.name > last.name:
                empty.unlink()
        with last.open("ab") as file:
            file.write(b"half a frame")
        with self.open() as spool:
            assert spool.torn_bytes == len(b"half a frame")


class Acknowledged(Keeper):
    """How many frames of a spool are acknowledged; the others are all there, each in a segment of its own."""

    def write(self, number: int) -> None:
        with Spool.open(self.path, segment_bytes=1, limit_bytes=10_000, sync="always") as spool:
            if not spool.pending_bytes:
                for frame in range(1, 6):
                    spool.append([str(frame).encode()])
            places = {int(frame): place for place, frame in spool.frames(spool.acknowledged)}
            spool.acknowledge(places[number])

    def read(self) -> int:
        with Spool.open(self.path, segment_bytes=1, limit_bytes=10_000, sync="always") as spool:
            waiting = [int(frame) for _, frame in spool.frames(spool.acknowledged)]
            assert waiting == list(range(waiting[0], 6))
            return waiting[0] - 1


class Linked(Keeper):
    """The last value of the embedded event log, each in a file of its own, which its publisher removes."""

    def open(self) -> AbstractAsyncContextManager[SqliteEventLog]:
        return SqliteEventLog.open(self.path / "log.db")

    def write(self, number: int) -> None:
        self.path.mkdir(exist_ok=True)
        asyncio.run(self._publish(number))

    def read(self) -> int:
        return asyncio.run(self._last())

    async def _publish(self, number: int) -> None:
        file, value = self.path / f"{number}.frames", bytes([number]) * 10_000
        file.write_bytes(value)
        now = datetime.now(UTC)
        async with self.open() as log:
            event = Event(str(number), "t", "k", "t", "s", now, value, span=Span(file, 0, len(value)))
            await log.publisher().publish([event])
        file.unlink()

    async def _last(self) -> int:
        async with self.open() as log:
            [*_, last] = await log.read("t")
            assert len(list(self.path.glob("log.db-values/*"))) == (await log.topics())[0].count
        assert last.event.value == bytes([int(last.event.id)]) * 10_000
        return int(last.event.id)


class Trimmed(Linked):
    """The first value that a trim has left of that log."""

    def write(self, number: int) -> None:
        asyncio.run(self._trim(number))

    async def _trim(self, number: int) -> None:
        self.path.mkdir(exist_ok=True)
        async with self.open() as log:
            if not await log.topics():
                for each in range(1, 6):
                    await self._publish(each)
            await log.trim("t", before_offset=number - 1)

    async def _last(self) -> int:
        async with self.open() as log:
            records = await log.read("t")
            assert [one.event.value[0] for one in records] == list(range(records[0].offset + 1, 6))
        return records[0].offset + 1


async def _bytes_of(number: int) -> AsyncIterator[bytes]:
    yield str(number).encode()


# What is read when the write of 2 over 1 was killed there.
CASES: tuple[tuple[type[Keeper], Name, int], ...] = (
    (Replaced, "durable.rename.before", 1),
    (Replaced, "durable.rename.after", 2),
    (Downloaded, "download.rename.before", 1),
    (Downloaded, "download.rename.after", 2),
    (Supervised, "supervisor.state.before", 1),
    (Supervised, "supervisor.state.after", 2),
    (Secret, "supervisor.secret.before", 1),
    (Secret, "supervisor.secret.after", 2),
    (Snapshot, "snapshot.store.before", 1),
    (Snapshot, "durable.rename.before", 1),
    (Snapshot, "snapshot.store.after", 2),
    (Arms, "disabled.store.before", 1),
    (Arms, "durable.rename.before", 1),
    (Arms, "disabled.store.after", 2),
    (Artifacts, "artifacts.rename.before", 1),
    (Artifacts, "artifacts.rename.after", 2),
    (Spooled, "spool.rotate.before", 1),
    (Spooled, "spool.rotate.after", 1),
    (Foreseen, "spool.ahead.before", 1),
    (Foreseen, "spool.ahead.after", 1),
    (Spooled, "spool.append.before", 1),
    (Spooled, "spool.append.after", 2),
    (Spooled, "spool.sync.before", 2),
    (Spooled, "spool.sync.after", 2),
    (Torn, "spool.cut.before", 2),
    (Torn, "spool.cut.after", 2),
    (Acknowledged, "spool.checkpoint.before", 1),
    (Acknowledged, "durable.rename.before", 1),
    (Acknowledged, "spool.checkpoint.after", 2),
    (Linked, "values.link.before", 1),
    (Linked, "values.link.after", 1),
    # The records are gone by a transaction before.
    (Trimmed, "values.unlink.before", 2),
    (Trimmed, "values.unlink.after", 2),
    # Opening drops the empty segment of the opening before.
    (Acknowledged, "spool.drop.before", 1),
    (Acknowledged, "spool.drop.after", 1),
)


def main() -> None:
    """Go through all cases."""
    logging.disable()
    for kind, name, expected in CASES:
        with tempfile.TemporaryDirectory() as folder:
            keeper = kept_by(kind, Path(folder) / "killed")
            killed = forked(keeper, f"{name}=kill") == -signal.SIGKILL
            after_kill = keeper.read()
            keeper.write(3)
            told = {"keeper": kind.__name__, "failpoint": name, "killed": killed}
            told |= {"expected": [expected, 3], "read": [after_kill, keeper.read()]}
            keeper = kept_by(kind, Path(folder) / "full")
            told["told"] = forked(keeper, f"{name}=disk-full") == (REFUSED if keeper.refuses else 0)
            # Refused after it was done is done all the same; either way it is whole, and the next write is taken.
            assert keeper.read() in {1, 2}
            keeper.write(3)
            told["mended"] = keeper.read() == 3
            print(json.dumps(told), flush=True)


def kept_by(kind: type[Keeper], folder: Path) -> Keeper:
    """A keeper of 1."""
    folder.mkdir()
    keeper = kind(folder)
    keeper.write(1)
    assert keeper.read() == 1
    return keeper


def forked(keeper: Keeper, spec: str) -> int:
    """How a process ends that writes 2 with this armed."""
    pid = os.fork()
    if not pid:
        try:
            with arming(spec):
                keeper.write(2)
            os._exit(0)
        except (OSError, SlipwayError):
            os._exit(REFUSED)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    main()
