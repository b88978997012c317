"""The tables of the log's file, and the check that the file is one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from slipway import sqlite
from slipway.events.errors import UnusableLog
from slipway.events.sqlite.thread import writing

VERSION = 1
# Many values are kilobytes, which take half as long again to write on pages of 4 KiB. A small commit writes more.
_LAYOUT = ("PRAGMA page_size=16384", "PRAGMA auto_vacuum=INCREMENTAL")
_APPLICATION_ID = 0x534C_4556

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
        PRIMARY KEY (topic, "offset"),
        UNIQUE (topic, event_id)
    )
    """,
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


def lay_out(path: Path) -> None:
    """Make the file and its tables unless they are there. Blocks briefly.

    Raises UnusableLog for a file of something else or of a newer version.
    """
    sqlite.prepare(path, _LAYOUT)
    connection = sqlite.connect(path)
    try:
        with writing(connection):
            _require_ours(connection, path)
    except sqlite3.Error as error:
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
        connection.execute(f"PRAGMA user_version={VERSION}")
