"""Driver errors become ours at the very statement that failed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from slipway.errors import Kind, SlipwayError
from slipway.sqlite import DatabaseBusy, DatabaseFailure, DatabaseUnreachable, DiskFull, translate

_SQLITE_UNIQUE = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
)


class Conflict(SlipwayError):
    """A row with the same unique value exists.

    ``columns`` are the ``table.column`` names on SQLite, the constraint's name on PostgreSQL. Adapters turn
    it into their domain's error; let it leave the transaction first, which PostgreSQL has spoilt by then.
    """

    kind = Kind.ALREADY_EXISTS
    reason = "CONFLICT"

    def __init__(self, columns: Sequence[str] = ()) -> None:
        super().__init__("a row with the same unique value exists", facts={"columns": ", ".join(columns)})
        self.columns = tuple(columns)


class BrokenReference(SlipwayError):
    """A row names another that does not exist, or one that others still name would go."""

    kind = Kind.FAILED_PRECONDITION
    reason = "BROKEN_REFERENCE"

    def __init__(self) -> None:
        super().__init__("a row names another one that does not exist, or is still named by others")


def listen(engine: Engine, *, reads_only: bool = False) -> None:
    """Make every driver error of ``engine`` leave as a SlipwayError, chained to what it was."""
    event.listen(engine, "handle_error", partial(_on_error, reads_only), retval=True)


def _on_error(reads_only: bool, context: ExceptionContext) -> BaseException | None:
    driver = context.original_exception
    if not isinstance(context.sqlalchemy_exception, DBAPIError) or not isinstance(driver, Exception):
        return None
    sqlstate = getattr(driver, "sqlstate", None)
    # Elsewhere a refusal to write is the file's state, which may pass; here it is a fault of the code.
    if reads_only and (sqlstate == "25006" or getattr(driver, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY):
        return DatabaseFailure("a read() transaction can't write; use write()")
    return _from_postgresql(driver, str(sqlstate)) if sqlstate else _from_sqlite(driver)


def _from_sqlite(driver: Exception) -> SlipwayError:
    code = getattr(driver, "sqlite_errorcode", None)
    if code in _SQLITE_UNIQUE:
        # "UNIQUE constraint failed: models.tenant, models.name"
        return Conflict([name.strip() for name in str(driver).partition(": ")[2].split(",")])
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return BrokenReference()
    return translate(driver)


def _from_postgresql(driver: Exception, sqlstate: str) -> SlipwayError:
    if sqlstate == "23505":
        constraint = getattr(getattr(driver, "diag", None), "constraint_name", None)
        return Conflict([constraint] if constraint else [])
    if sqlstate == "23503":
        return BrokenReference()
    if sqlstate in {"40001", "40P01", "55P03"}:
        return DatabaseBusy("the database is busy with another writer; try again", retry_after_s=0.2)
    if sqlstate in {"53100", "53200"}:
        return DiskFull("the database is out of room; free some space and try again", retry_after_s=5.0)
    if sqlstate[:2] in {"08", "53", "57"}:
        return DatabaseUnreachable("the database does not answer; try again", retry_after_s=1.0)
    return DatabaseFailure("the database refused a statement; the service's log says which")
