from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipway.errors import InvalidInput, Kind
from slipway.events import Event, UnusableLog
from slipway.events.sqlite import SqliteEventLog
from slipway.sqlite import CorruptDatabase, DatabaseBusy, DatabaseUnreachable, DiskFull

MakeEvent = Callable[..., Event]
TOPIC = "test.things.v1"


async def ids(log: SqliteEventLog, topic: str = TOPIC) -> list[str]:
    return [record.event.id for record in await log.read(topic, limit=10_000)]


@settings(max_examples=30, deadline=None)
@given(batches=st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 8)), max_size=8), max_size=6))
def test_offsets_are_dense_and_each_id_is_kept_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[str, int]]]
) -> None:
    async def check() -> None:
        expected: dict[str, list[str]] = {"a": [], "b": []}
        now = datetime.now(UTC)
        async with SqliteEventLog.open(tmp_path_factory.mktemp("log") / "log.db") as log:
            for batch in batches:
                await log.publisher().publish([Event(str(n), topic, "k", "t", "/s", now, b"") for topic, n in batch])
                for topic, number in batch:
                    if str(number) not in expected[topic]:
                        expected[topic].append(str(number))
            for topic, names in expected.items():
                records = await log.read(topic)
                assert [(record.offset, record.event.id) for record in records] == list(enumerate(names))

    asyncio.run(check())


async def test_the_log_is_there_after_reopening(file: Path, make_event: MakeEvent) -> None:
    for name in ("1", "2"):
        async with SqliteEventLog.open(file) as log:
            await log.publisher().publish([make_event(name)])
    async with SqliteEventLog.open(file) as log:
        assert await ids(log) == ["1", "2"]


async def test_many_who_open_a_new_log_at_once_share_it(file: Path, make_event: MakeEvent) -> None:
    async def publish(name: str) -> None:
        async with SqliteEventLog.open(file) as log:
            await log.publisher().publish([make_event(name)])

    await asyncio.gather(*(publish(str(number)) for number in range(8)))
    async with SqliteEventLog.open(file) as log:
        assert sorted(await ids(log)) == [str(number) for number in range(8)]


async def test_a_newer_layout_is_refused(file: Path, log: SqliteEventLog) -> None:
    other = sqlite3.connect(file)
    other.execute("PRAGMA user_version=99")
    other.close()
    with pytest.raises(UnusableLog, match="install the newer version") as caught:
        async with SqliteEventLog.open(file):
            pass
    assert caught.value.kind is Kind.FAILED_PRECONDITION
    assert caught.value.facts == {"found": "99", "expected": "2"}


async def test_a_log_of_the_first_layout_is_read_and_written_on(file: Path, make_event: MakeEvent) -> None:
    async with SqliteEventLog.open(file) as log:
        await log.publisher().publish([make_event("old", value=b"as ever")])
    old = sqlite3.connect(file)
    for column in ("file", "start", "size"):
        old.execute(f"ALTER TABLE record DROP COLUMN {column}")
    old.executescript("DROP TABLE file; PRAGMA user_version=1")
    old.close()
    async with SqliteEventLog.open(file) as log:
        await log.publisher().publish([make_event("new", value=b"too")])
        assert [one.event.value for one in await log.read(TOPIC)] == [b"as ever", b"too"]


async def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE models (id INTEGER)")
    with pytest.raises(UnusableLog, match="something else"):
        async with SqliteEventLog.open(file):
            pass
    assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("models",)]
    other.close()


async def test_a_file_that_is_no_database_is_data_loss(tmp_path: Path) -> None:
    file = tmp_path / "log.db"
    file.write_bytes(b"neither a log nor a database\n" * 300)
    with pytest.raises(CorruptDatabase):
        async with SqliteEventLog.open(file):
            pass


async def test_a_folder_that_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatabaseUnreachable):
        async with SqliteEventLog.open(tmp_path / "file" / "log.db"):
            pass


async def test_a_full_disk_keeps_none_of_a_batch_and_recovers(log: SqliteEventLog, make_event: MakeEvent) -> None:
    await log._writer.run(lambda connection: connection.execute("PRAGMA max_page_count=1").fetchall())
    batch = [make_event(str(number), value=bytes(5000)) for number in range(20)]
    with pytest.raises(DiskFull):
        await log.publisher().publish(batch)
    assert await ids(log) == []
    await log._writer.run(lambda connection: connection.execute("PRAGMA max_page_count=1000000").fetchall())
    await log.publisher().publish(batch)
    assert len(await ids(log)) == 20


async def test_a_held_lock_is_unavailable_and_passes(file: Path, log: SqliteEventLog, make_event: MakeEvent) -> None:
    await log._writer.run(lambda connection: connection.execute("PRAGMA busy_timeout=1").fetchall())
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseBusy) as caught:
        await log.publisher().publish([make_event()])
    assert caught.value.kind is Kind.UNAVAILABLE
    other.close()
    await log.publisher().publish([make_event()])
    assert await ids(log) == ["1"]


async def test_poll_stays_within_its_bytes(log: SqliteEventLog, make_event: MakeEvent) -> None:
    for number in range(20):
        await log.publisher().publish([make_event(str(number), value=bytes(1_000_000))])
    async with log.consumer([TOPIC], "g") as consumer:
        first = await consumer.poll(500, 0)
        second = await consumer.poll(500, 0)
    assert 0 < len(first) < 20
    assert len(first) + len(second) == 20


async def test_commit_never_goes_back(log: SqliteEventLog, make_event: MakeEvent) -> None:
    await log.publisher().publish([make_event(str(number)) for number in range(4)])
    async with log.consumer([TOPIC], "g") as consumer:
        records = await consumer.poll(4, 0)
        await consumer.commit(records[:3])
        await consumer.commit(records[:1])
        await consumer.commit([])
    async with log.consumer([TOPIC], "g") as consumer:
        assert [record.event.id for record in await consumer.poll(4, 0)] == ["3"]


async def test_trim_forgets_the_oldest_and_offsets_go_on(log: SqliteEventLog, make_event: MakeEvent) -> None:
    await log.publisher().publish([make_event(str(number)) for number in range(5000)])
    assert await log.trim(TOPIC, before_offset=4998) == 4998
    await log.publisher().publish([make_event("new")])
    assert [(record.offset, record.event.id) for record in await log.read(TOPIC)] == [
        (4998, "4998"),
        (4999, "4999"),
        (5000, "new"),
    ]
    (info,) = await log.topics()
    assert (info.first_offset, info.next_offset, info.count) == (4998, 5001, 3)
    async with log.consumer([TOPIC], "late") as consumer:
        assert len(await consumer.poll(100, 0)) == 3


async def test_trim_gives_its_space_back(log: SqliteEventLog, file: Path, make_event: MakeEvent) -> None:
    await log.publisher().publish([make_event(f"{number}", value=bytes(64 * 1024)) for number in range(100)])
    _into_the_file(file)
    before = file.stat().st_size
    assert before > 100 * 64 * 1024
    assert await log.trim(TOPIC, before_offset=90) == 90
    _into_the_file(file)
    assert file.stat().st_size < before // 5
    assert len(await ids(log)) == 10


def _into_the_file(file: Path) -> None:
    """Move what was committed from the write-ahead log."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


async def test_trim_by_age(log: SqliteEventLog, make_event: MakeEvent) -> None:
    await log.publisher().publish([make_event(str(number)) for number in range(3)])
    now = datetime.now(UTC)
    assert await log.trim(TOPIC, older_than=now - timedelta(hours=1)) == 0
    assert await log.trim(TOPIC, older_than=now + timedelta(hours=1)) == 3
    assert await log.trim("no.such.topic", older_than=now) == 0


async def test_trim_needs_to_be_told_how_far(log: SqliteEventLog) -> None:
    with pytest.raises(InvalidInput, match="before_offset"):
        await log.trim(TOPIC)
    with pytest.raises(InvalidInput, match="older_than"):
        await log.trim(TOPIC, older_than=datetime(2013, 1, 1))


async def test_a_group_without_topics_is_refused(log: SqliteEventLog) -> None:
    with pytest.raises(InvalidInput, match="topics"):
        async with log.consumer([], "g"):
            pass


async def test_a_cancelled_publish_leaves_the_log_usable(log: SqliteEventLog, make_event: MakeEvent) -> None:
    publishing = asyncio.create_task(log.publisher().publish([make_event("1")]))
    await asyncio.sleep(0)
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    await log.publisher().publish([make_event("1"), make_event("2")])
    assert await ids(log) == ["1", "2"]
