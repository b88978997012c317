"""The tables of the log's file, and the check that the file is one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from slipway import sqlite
from slipway.events.errors import UnusableLog
from slipway.events.sqlite.files import ValueFiles
from slipway.events.sqlite.thread import writing

VERSION = 2
# Many values are kilobytes, which take half as long again to write on pages of 4 KiB. A small commit writes more.
_LAYOUT = ("PRAGMA page_size=16384", "PRAGMA auto_vacuum=INCREMENTAL")
_APPLICATION_ID = 0x534C_4556

# A linked file, which values of one topic lie in; no later record of it does than the one at last_offset.
_FILE = """
    CREATE TABLE file (
        id INTEGER PRIMARY KEY,
        topic INTEGER NOT NULL REFERENCES topic (id),
        name TEXT NOT NULL,
        last_offset INTEGER NOT NULL,
        UNIQUE (topic, name)
    )
    """

_TABLES = (
    """
    CREATE TABLE topic (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        next_offset INTEGER NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE record (
        topic INTEGER NOT NULL REFERENCES topic (id),
        "offset" INTEGER NOT NULL,
        event_id TEXT NOT NULL,
        key TEXT NOT NULL,
        type TEXT NOT NULL,
        source TEXT NOT NULL,
        time TEXT NOT NULL,
        headers TEXT NOT NULL,
        stored_us INTEGER NOT NULL,
        value BLOB NOT NULL,
        file INTEGER,
        start INTEGER,
        size INTEGER,
        PRIMARY KEY (topic, "offset"),
        UNIQUE (topic, event_id)
    )
    """,
    _FILE,
    # The epoch rises with every member that joins; a commit that names an old one is refused.
    """
    CREATE TABLE position (
        topic INTEGER NOT NULL REFERENCES topic (id),
        group_name TEXT NOT NULL,
        next_offset INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        PRIMARY KEY (topic, group_name)
    ) WITHOUT ROWID
    """,
)

# From the version before each, what leads to it. Where a file is named, the value lies there, at start, of that size.
_STEPS: dict[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE record ADD COLUMN file INTEGER",
        "ALTER TABLE record ADD COLUMN start INTEGER",
        "ALTER TABLE record ADD COLUMN size INTEGER",
        _FILE,
    )
}


def lay_out(path: Path) -> None:
    """Make the file, its folder of values and its tables unless they are there. Blocks briefly.

    Raises UnusableLog for a file of something else or of a newer version, :mod:`slipway.sqlite` errors.
    """
    sqlite.prepare(path, _LAYOUT)
    files = ValueFiles(path)
    connection = sqlite.connect(path)
    try:
        with writing(connection):
            _require_ours(connection, path)
            files.prepare()
            files.sweep({name for (name,) in connection.execute("SELECT name FROM file")})
    except (sqlite3.Error, OSError) as error:
        raise sqlite.translate(error) from error
    finally:
        connection.close()


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != _APPLICATION_ID and tables:
        raise UnusableLog(f"{path.name} is a database of something else; choose another file for the event log")
    if version > VERSION:
        raise UnusableLog(
            f"{path.name} has layout {version}, this version reads {VERSION}; install the newer version",
            facts={"found": str(version), "expected": str(VERSION)},
        )
    if not tables:
        for table in _TABLES:
            connection.execute(table)
        connection.execute(f"PRAGMA application_id={_APPLICATION_ID}")
    else:
        for step in range(version + 1, VERSION + 1):
            for statement in _STEPS[step]:
                connection.execute(statement)
    if version != VERSION:
        connection.execute(f"PRAGMA user_version={VERSION}")
