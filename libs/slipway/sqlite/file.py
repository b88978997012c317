"""Opening a file so that what is committed survives kill -9 and a power cut."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from slipway.sqlite.failure import translate

BUSY_TIMEOUT_S = 5.0
_PAUSE_S = 0.01

CONNECTION_PRAGMAS = (
    f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1000)}",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
)
"""What each connection must be told; WAL mode is kept in the file itself (:func:`prepare`)."""


def prepare(path: Path, layout: Sequence[str] = ()) -> None:
    """Make the file and its folders if they are missing, and put the file in WAL mode. Blocks briefly.

    ``layout`` are pragmas for a file that is made; one that is there keeps its own. Raises a :mod:`slipway.sqlite`
    error when the file can't be had.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        unreachable = sqlite3.OperationalError(str(error))
        unreachable.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise translate(unreachable) from error
    connection = connect(path)
    try:
        for pragma in layout:
            connection.execute(pragma)
        _switch_to_wal(connection)
    except sqlite3.Error as error:
        raise translate(error) from error
    finally:
        connection.close()


def connect(path: Path) -> sqlite3.Connection:
    """A connection of the calling thread with every pragma set; transactions begin only by ``BEGIN``.

    Raises a :mod:`slipway.sqlite` error when the file can't be opened.
    """
    try:
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    except sqlite3.Error as error:
        raise translate(error) from error
    try:
        for pragma in CONNECTION_PRAGMAS:
            connection.execute(pragma)
    except sqlite3.Error as error:
        connection.close()
        raise translate(error) from error
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    # SQLite does not call its busy handler for this switch, so two processes that meet on a fresh file
    # have to wait for each other here.
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > give_up_at:
                raise
            time.sleep(_PAUSE_S)
        else:
            return
