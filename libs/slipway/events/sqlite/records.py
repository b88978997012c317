"""Reading and appending records: plain functions of a connection."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import chain

from slipway.events.port import Event, Record, TopicInfo

PARTITION = 0
_APPEND = 'INSERT INTO record (topic, "offset", event_id, key, type, source, time, headers, stored_us, value) VALUES '
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_TOGETHER = (256, 64, 16, 4, 1)
"""Rows that one statement appends; of so few kinds all stay prepared."""
_SELECT = (
    'SELECT "offset", event_id, key, type, source, time, headers, value FROM record'
    ' WHERE topic = ? AND "offset" >= ? ORDER BY "offset" LIMIT ?'
)
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


def append(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Add events at the end of their topics, in order; within a writing transaction."""
    by_topic: dict[str, dict[str, Event]] = {}
    for event in events:
        by_topic.setdefault(event.topic, {}).setdefault(event.id, event)
    for name, by_id in by_topic.items():
        _append_to(connection, ensure_topic(connection, name), by_id)


def _append_to(connection: sqlite3.Connection, topic: int, by_id: dict[str, Event]) -> None:
    repeated = connection.execute(
        "SELECT event_id FROM record WHERE topic = ? AND event_id IN (SELECT value FROM json_each(?))",
        (topic, json.dumps(list(by_id))),
    )
    known = {event_id for (event_id,) in repeated}
    (start,) = connection.execute("SELECT next_offset FROM topic WHERE id = ?", (topic,)).fetchone()
    fresh = [event for event in by_id.values() if event.id not in known]
    stored_us = time.time_ns() // 1000
    rows = [_encode(topic, offset, event, stored_us) for offset, event in enumerate(fresh, start)]
    _insert(connection, rows)
    connection.execute("UPDATE topic SET next_offset = ? WHERE id = ?", (start + len(rows), topic))


def _insert(connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]]) -> None:
    # Row by row the driver would take Python's lock from the event loop's thread and give it back, each time a wake-up.
    at = 0
    for count in _TOGETHER:
        while len(rows) - at >= count:
            values = list(chain.from_iterable(rows[at : at + count]))
            connection.execute(_APPEND + ", ".join([_ROW] * count), values)
            at += count


def select(connection: sqlite3.Connection, topic: int, name: str, offset: int, limit: int) -> Iterator[Record]:
    """Records from ``offset`` on, read as they are taken."""
    for row in connection.execute(_SELECT, (topic, offset, limit)):
        yield _decode(name, row)


def topics(connection: sqlite3.Connection, names: Collection[str]) -> list[TopicInfo]:
    """Those topics, or every one, by name."""
    rows = connection.execute(_TOPICS, (json.dumps(list(names)),))
    return [TopicInfo(name, PARTITION, first, following, count) for name, following, first, count in rows]


def committed(connection: sqlite3.Connection, group: str) -> dict[str, int]:
    """Where a group goes on in each topic that it has committed in."""
    return dict(connection.execute(_COMMITTED, (group,)).fetchall())


def _encode(topic: int, offset: int, event: Event, stored_us: int) -> tuple[object, ...]:
    headers = json.dumps(dict(event.headers)) if event.headers else "{}"
    stamp = event.time.isoformat()
    return (topic, offset, event.id, event.key, event.type, event.source, stamp, headers, stored_us, event.value)


def _decode(name: str, row: tuple[int, str, str, str, str, str, str, bytes]) -> Record:
    offset, event_id, key, kind, source, stamp, headers, value = row
    carried = json.loads(headers) if headers != "{}" else {}
    event = Event(event_id, name, key, kind, source, datetime.fromisoformat(stamp), value, carried)
    return Record(event, PARTITION, offset)
