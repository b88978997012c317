"""Driver errors become ours at the very statement that failed."""

from __future__ import annotations

import sqlite3
from functools import partial

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from slipway import sqlite
from slipway.errors import SlipwayError
from slipway.sql import sqlstate
from slipway.sql.constraint import BrokenReference, Conflict
from slipway.sql.place import POSTGRESQL
from slipway.sqlite import DatabaseFailure

_UNIQUE = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
)


def listen(engine: Engine, *, reads_only: bool = False) -> None:
    """Make every driver error of ``engine`` leave as a SlipwayError, chained to what it was."""
    event.listen(engine, "handle_error", partial(_on_error, reads_only), retval=True)


def _on_error(reads_only: bool, context: ExceptionContext) -> BaseException | None:
    driver = context.original_exception
    if not isinstance(context.sqlalchemy_exception, DBAPIError) or not isinstance(driver, Exception):
        return None
    # Elsewhere a refusal to write is the file's or the server's state, which may pass; here it is a fault of the code.
    if reads_only and _refuses_writes(driver):
        return DatabaseFailure("a read() transaction can't write; use write()")
    return sqlstate.translate(driver) if context.dialect.name == POSTGRESQL else _from_sqlite(driver)


def _refuses_writes(driver: Exception) -> bool:
    return (
        getattr(driver, "sqlstate", None) == "25006"
        or getattr(driver, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
    )


def _from_sqlite(driver: Exception) -> SlipwayError:
    code = getattr(driver, "sqlite_errorcode", None)
    if code in _UNIQUE:
        # "UNIQUE constraint failed: models.tenant, models.name"
        return Conflict([name.strip() for name in str(driver).partition(": ")[2].split(",")])
    if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
        return BrokenReference()
    return sqlite.translate(driver)
