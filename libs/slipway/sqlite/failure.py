"""Driver errors in our own terms. The driver's text stays in the chained cause, for logs alone."""

from __future__ import annotations

import errno
import sqlite3

from slipway.errors import Exhausted, Kind, SlipwayError, Unavailable


class DatabaseBusy(Unavailable):
    """Another process held the database's write lock for longer than we wait; try again."""

    reason = "DATABASE_BUSY"


class DatabaseUnreachable(Unavailable):
    """The database can't be opened, read or written now: its file, folder or server is not to be had."""

    reason = "DATABASE_UNREACHABLE"


class DiskFull(Exhausted):
    """The disk under the database has no room; nothing of the transaction was kept."""

    reason = "DISK_FULL"


class CorruptDatabase(SlipwayError):
    """The file is not a database, or its pages contradict each other; restore it from a copy."""

    kind = Kind.DATA_LOSS
    reason = "CORRUPT_DATABASE"


class DatabaseFailure(SlipwayError):
    """The database refused a statement: a fault of ours, not of the caller's."""

    kind = Kind.INTERNAL
    reason = "DATABASE_FAILURE"


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CORRUPT = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNREACHABLE = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY})


def translate(error: BaseException) -> SlipwayError:
    """The error to raise in place of a ``sqlite3`` one, or the disk's own, which belongs in its ``__cause__``."""
    number = error.errno if isinstance(error, OSError) else None
    # Extended codes keep the primary one in their low byte.
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _BUSY:
        return DatabaseBusy("the database is busy with another writer; try again", retry_after_s=0.2)
    if code == sqlite3.SQLITE_FULL or number in _NO_ROOM:
        return DiskFull("the disk of the database is full; free some space and try again", retry_after_s=5.0)
    if code in _CORRUPT:
        return CorruptDatabase("the database's file is damaged; restore it from a copy")
    if code in _UNREACHABLE or number is not None:
        return DatabaseUnreachable(
            "the database can't be opened or written; see to its folder, its permissions and its disk",
            retry_after_s=1.0,
        )
    return DatabaseFailure("the database refused a statement; the service's log says which")
