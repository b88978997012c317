"""Values that stay in the files of whoever published them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import pytest

from slipway.errors import Kind
from slipway.events import Event, Span, ValueLost
from slipway.events.sqlite import SqliteEventLog
from slipway.sqlite import DatabaseUnreachable

TOPIC = "test.things.v1"
SIZE = 20_000
Frames = Callable[..., Event]


@pytest.fixture
def framed(tmp_path: Path, make_event: Callable[..., Event]) -> Frames:
    """Events whose values are appended to a file, behind a frame's head each."""

    def make(name: str, size: int = SIZE, source: Path = tmp_path / "one.frames") -> Event:
        value = name.encode().ljust(size, b".")
        with source.open("ab") as out:
            start = out.tell() + out.write(b"head")
            out.write(value)
        return make_event(name, value=value, span=Span(source, start, size))

    return make


def linked(file: Path) -> list[str]:
    return sorted(one.name for one in file.with_name("log.db-values").iterdir())


def copied_bytes(file: Path) -> int:
    with sqlite3.connect(file) as connection:
        (found,) = connection.execute("SELECT sum(length(value)) FROM record").fetchone()
    return int(found)


async def test_a_value_stays_in_its_file_which_the_log_keeps(
    log: SqliteEventLog, file: Path, tmp_path: Path, framed: Frames
) -> None:
    events = [framed(str(number)) for number in range(5)]
    await log.publisher().publish(events[:3])
    await log.publisher().publish(events[2:])
    (tmp_path / "one.frames").unlink()
    assert (linked(file), copied_bytes(file)) == (["1-one.frames"], 0)
    async with SqliteEventLog.open(file) as again:
        assert [one.event for one in await again.read(TOPIC)] == events
        async with again.consumer([TOPIC], "g") as consumer:
            assert [one.event.value for one in await consumer.poll(100, 0)] == [one.value for one in events]


async def test_a_small_value_is_copied(log: SqliteEventLog, file: Path, framed: Frames) -> None:
    await log.publisher().publish([framed("small", 100)])
    assert (linked(file), copied_bytes(file)) == ([], 100)


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the log's."""
    disks = [Path("/dev/shm"), Path(gettempdir()), Path(__file__).parent]  # noqa: S108  (whichever is another)
    [other, *_] = [one for one in disks if one.stat().st_dev != tmp_path.stat().st_dev]
    with TemporaryDirectory(dir=other) as folder:
        yield Path(folder)


async def test_a_file_that_can_not_be_linked_is_copied(
    log: SqliteEventLog, file: Path, tmp_path: Path, other_disk: Path, framed: Frames
) -> None:
    far = framed("far", source=other_disk / "one.frames")
    gone = replace(framed("gone"), span=Span(tmp_path / "gone.frames", 0, SIZE))
    await log.publisher().publish([far, gone])
    assert [one.event for one in await log.read(TOPIC)] == [far, gone]
    assert (linked(file), copied_bytes(file)) == ([], 2 * SIZE)


async def test_another_file_under_a_name_that_is_linked_is_copied(
    log: SqliteEventLog, file: Path, tmp_path: Path, framed: Frames
) -> None:
    source = tmp_path / "one.frames"
    events = [framed("first")]
    await log.publisher().publish(events)
    source.unlink()
    events.append(framed("from a backup"))
    await log.publisher().publish(events[1:])
    assert [one.event for one in await log.read(TOPIC)] == events
    assert copied_bytes(file) == SIZE


async def test_a_file_goes_with_the_last_record_that_names_it(
    log: SqliteEventLog, file: Path, tmp_path: Path, framed: Frames
) -> None:
    for name in ("one", "two"):
        events = [framed(f"{name}{number}", source=tmp_path / f"{name}.frames") for number in range(3)]
        await log.publisher().publish(events)
    elsewhere = replace(framed("other"), topic="test.others.v1")
    await log.publisher().publish([elsewhere])
    await log.trim(TOPIC, before_offset=2)
    assert linked(file) == ["1-one.frames", "1-two.frames", "2-one.frames"]
    await log.trim(TOPIC, before_offset=4)
    assert linked(file) == ["1-two.frames", "2-one.frames"]
    await log.publisher().publish([framed("again", source=tmp_path / "two.frames")])
    assert [one.event.id for one in await log.read(TOPIC)] == ["two1", "two2", "again"]
    await log.trim(TOPIC, before_offset=100)
    assert linked(file) == ["2-one.frames"]
    assert [one.event for one in await log.read("test.others.v1")] == [elsewhere]


async def test_what_a_crash_left_is_swept_when_the_log_is_opened(
    log: SqliteEventLog, file: Path, tmp_path: Path, framed: Frames
) -> None:
    await log.publisher().publish([framed("kept")])
    (file.with_name("log.db-values") / "1-orphan.frames").write_bytes(b"")
    async with SqliteEventLog.open(file) as again:
        assert linked(file) == ["1-one.frames"]
        assert len(await again.read(TOPIC)) == 1


@pytest.mark.parametrize("cut", [True, False])
async def test_a_value_whose_file_is_lost_is_data_loss_that_says_which_and_a_trim_mends(
    log: SqliteEventLog, file: Path, framed: Frames, cut: bool
) -> None:
    await log.publisher().publish([framed("lost")])
    one = file.with_name("log.db-values") / "1-one.frames"
    if cut:
        os.truncate(one, 100)
    else:
        one.unlink()
    async with log.consumer([TOPIC], "g") as consumer:
        for reading in (lambda: log.read(TOPIC), lambda: consumer.poll(10, 0)):
            with pytest.raises(
                ValueLost, match=r"log.db-values/1-one.frames.*put it back.*or trim its topic"
            ) as caught:
                await reading()
            assert caught.value.kind is Kind.DATA_LOSS
        await log.trim(TOPIC, before_offset=1)
        await log.publisher().publish([framed("next")])
        assert [one.event.id for one in await consumer.poll(10, 0)] == ["next"]


async def test_readers_and_a_trim_at_once_lose_nothing_but_what_is_trimmed(
    log: SqliteEventLog, file: Path, tmp_path: Path, framed: Frames
) -> None:
    """Each value in a file of its own, so that every trim takes files away from under who reads."""
    count = 60
    events = [framed(f"{number:03}", source=tmp_path / f"{number}.frames") for number in range(count)]

    async def publish() -> None:
        for event in events:
            await log.publisher().publish([event])

    async def trim() -> None:
        while (await log.topics())[0].first_offset < count - 1:
            (info,) = await log.topics()
            await log.trim(TOPIC, before_offset=max(0, min(info.next_offset, count) - 1))

    async def read() -> None:
        seen = -1
        async with SqliteEventLog.open(file) as own, own.consumer([TOPIC], "g") as consumer:
            while seen < count - 1:
                for record in await consumer.poll(10, 1.0):
                    assert record.offset > seen
                    assert record.event == events[record.offset]
                    seen = record.offset

    await log.publisher().publish(events[:1])
    await asyncio.gather(publish(), trim(), read())


async def test_a_folder_that_can_not_be_made_is_unreachable(file: Path) -> None:
    file.parent.mkdir()
    file.with_name("log.db-values").write_bytes(b"a file")
    with pytest.raises(DatabaseUnreachable):
        async with SqliteEventLog.open(file):
            pass
