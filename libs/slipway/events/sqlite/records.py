"""Reading and appending records: plain functions of a connection."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

from slipway.events.port import Event, Record, TopicInfo
from slipway.events.sqlite.files import ValueFiles, ValueReader, in_file

PARTITION = 0
_APPEND = (
    'INSERT INTO record (topic, "offset", event_id, key, type, source, time, headers, stored_us, value, file, start,'
    " size) VALUES "
)
_ROW = f"({', '.join('?' * 13)})"
_TOGETHER = (256, 64, 16, 4, 1)
"""Rows that one statement appends; of so few kinds all stay prepared."""
_SELECT = (
    'SELECT "offset", event_id, key, type, source, time, headers, value, file.name, start, size'
    " FROM record LEFT JOIN file ON file.id = record.file"
    ' WHERE record.topic = ? AND "offset" >= ? ORDER BY "offset" LIMIT ?'
)
_LINK = """
    INSERT INTO file (topic, name, last_offset) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET last_offset = excluded.last_offset RETURNING id
"""
_COMMITTED = """
    SELECT name, position.next_offset FROM position JOIN topic ON topic.id = position.topic
    WHERE group_name = ? AND position.next_offset > 0
"""
_TOPICS = """
    SELECT name, next_offset,
        coalesce((SELECT min("offset") FROM record WHERE topic = topic.id), next_offset),
        (SELECT count(*) FROM record WHERE topic = topic.id)
    FROM topic WHERE ?1 = '[]' OR name IN (SELECT value FROM json_each(?1)) ORDER BY name
"""


def topic_id(connection: sqlite3.Connection, name: str) -> int | None:
    """The topic's number in the file, None while nobody has published to it or joined it."""
    row = connection.execute("SELECT id FROM topic WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else None


def ensure_topic(connection: sqlite3.Connection, name: str) -> int:
    """The topic's number, giving it one first if need be; within a writing transaction."""
    connection.execute("INSERT INTO topic (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
    (found,) = connection.execute("SELECT id FROM topic WHERE name = ?", (name,)).fetchone()
    return int(found)


def append(
    connection: sqlite3.Connection, events: Sequence[Event], files: ValueFiles, synced: Collection[Path] = ()
) -> None:
    """Add events at the end of their topics, in order; within a writing transaction.

    ``synced`` are files that large values may stay in.
    """
    by_topic: dict[str, dict[str, Event]] = {}
    for event in events:
        by_topic.setdefault(event.topic, {}).setdefault(event.id, event)
    for name, by_id in by_topic.items():
        _append_to(connection, ensure_topic(connection, name), by_id, files, synced)


def _append_to(
    connection: sqlite3.Connection, topic: int, by_id: dict[str, Event], files: ValueFiles, synced: Collection[Path]
) -> None:
    repeated = connection.execute(
        "SELECT event_id FROM record WHERE topic = ? AND event_id IN (SELECT value FROM json_each(?))",
        (topic, json.dumps(list(by_id))),
    )
    known = {event_id for (event_id,) in repeated}
    (start,) = connection.execute("SELECT next_offset FROM topic WHERE id = ?", (topic,)).fetchone()
    fresh = [event for event in by_id.values() if event.id not in known]
    stored_us = time.time_ns() // 1000
    last = start + len(fresh) - 1
    numbers = {file: number for file in synced if (number := _link(connection, topic, file, last, files)) is not None}
    rows = [_encode(topic, offset, event, stored_us, numbers) for offset, event in enumerate(fresh, start)]
    _insert(connection, rows)
    connection.execute("UPDATE topic SET next_offset = ? WHERE id = ?", (start + len(rows), topic))


def _link(connection: sqlite3.Connection, topic: int, file: Path, last: int, files: ValueFiles) -> int | None:
    """The number of a file that records up to ``last`` name, None where it can't be linked."""
    if (name := files.link(topic, file)) is None:
        return None
    (number,) = connection.execute(_LINK, (topic, name, last)).fetchone()
    return int(number)


def unlink(connection: sqlite3.Connection, topic: int, files: ValueFiles) -> None:
    """Let the files go that no record of a topic names any more; within a writing transaction of its own."""
    gone = connection.execute(
        'DELETE FROM file WHERE topic = ?1 AND last_offset < coalesce((SELECT min("offset") FROM record WHERE topic ='
        " ?1), (SELECT next_offset FROM topic WHERE id = ?1)) RETURNING name",
        (topic,),
    ).fetchall()
    files.unlink(name for (name,) in gone)


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    # Row by row the driver would take Python's lock from the event loop's thread and give it back, each time a wake-up.
    at = 0
    for count in _TOGETHER:
        while len(rows) - at >= count:
            values = list(chain.from_iterable(rows[at : at + count]))
            connection.execute(_APPEND + ", ".join([_ROW] * count), values)
            at += count


def select(
    connection: sqlite3.Connection, files: ValueFiles, topic: int, name: str, *, offset: int, limit: int
) -> Iterator[Record]:
    """Records from ``offset`` on, read as they are taken.

    Raises ValueLost where a file is gone: by a trim since the transaction began, if it is not told again in another.
    """
    with files.reading() as reader:
        for row in connection.execute(_SELECT, (topic, offset, limit)):
            yield _decode(name, row, reader)


def topics(connection: sqlite3.Connection, names: Collection[str]) -> list[TopicInfo]:
    """Those topics, or every one, by name."""
    rows = connection.execute(_TOPICS, (json.dumps(list(names)),))
    return [TopicInfo(name, PARTITION, first, following, count) for name, following, first, count in rows]


def committed(connection: sqlite3.Connection, group: str) -> dict[str, int]:
    """Where a group goes on in each topic that it has committed in."""
    return dict(connection.execute(_COMMITTED, (group,)).fetchall())


def _encode(topic: int, offset: int, event: Event, stored_us: int, numbers: Mapping[Path, int]) -> tuple[object, ...]:
    headers = json.dumps(dict(event.headers)) if event.headers else "{}"
    stamp = event.time.isoformat()
    place = in_file(event, numbers)
    lies = (event.value, None, None, None) if place is None else (b"", *place)
    return (topic, offset, event.id, event.key, event.type, event.source, stamp, headers, stored_us, *lies)


_Row = tuple[int, str, str, str, str, str, str, bytes, str | None, int, int]


def _decode(name: str, row: _Row, reader: ValueReader) -> Record:
    offset, event_id, key, kind, source, stamp, headers, value, file, start, size = row
    if file is not None:
        value = reader.read(file, start, size)
    carried = json.loads(headers) if headers != "{}" else {}
    event = Event(event_id, name, key, kind, source, datetime.fromisoformat(stamp), value, carried)
    return Record(event, PARTITION, offset)
