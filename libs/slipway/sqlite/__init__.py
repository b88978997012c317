"""What every SQLite file of ours shares: how it is opened, and what its driver's errors become.

``sql`` (tables, through SQLAlchemy) and ``events`` (the embedded log, on the standard library alone) both
stand on it, so that a file is made durable in one way and a full disk has one name.
"""

from slipway.sqlite.failure import (
    CorruptDatabase,
    DatabaseBusy,
    DatabaseFailure,
    DatabaseUnreachable,
    DiskFull,
    translate,
)
from slipway.sqlite.file import CONNECTION_PRAGMAS, connect, prepare

__all__ = [
    "CONNECTION_PRAGMAS",
    "CorruptDatabase",
    "DatabaseBusy",
    "DatabaseFailure",
    "DatabaseUnreachable",
    "DiskFull",
    "connect",
    "prepare",
    "translate",
]
