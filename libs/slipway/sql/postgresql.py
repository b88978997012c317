"""What PostgreSQL alone needs: how a session is set up, the one writer's lock, which database fits.

One writer a database, as on SQLite: each writing transaction begins by taking one advisory lock and holds it to
its end. So a transaction that reads and then writes loses no update, whatever isolation it runs at, nothing
deadlocks, and no block needs to be run twice. READ COMMITTED, for the lock is itself a statement: at a
stricter isolation the snapshot would be that of the moment before the wait.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, event, text

from slipway.errors import Kind, SlipwayError
from slipway.sqlite import DatabaseFailure

WRITER_LOCK = 0x51_1B_0A_4D
"""The advisory lock of the one writer; it is the database's own, so it is the same number in all of them."""

BEGUN_BY_US = "AUTOCOMMIT"
"""The driver's isolation for engines of ours: it begins nothing by itself, and so costs no round trip of its own."""

_BEGIN_WRITE = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITER_LOCK})"
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_ALL = {"TimeZone": "UTC", "application_name": "slipway"}
WRITES = {
    **_ALL,
    # What is acknowledged is on the disk; whoever wants more or less than that says so in the URL's options.
    "synchronous_commit": "on",
    # As long as SQLite's writers wait for each other.
    "lock_timeout": "5s",
    "statement_timeout": "30s",
    # A process that was stopped in its write blocks every other one: its session ends, and with it the lock. When it
    # goes on it finds no session, and nothing of what it did.
    "idle_in_transaction_session_timeout": "30s",
}
READS = {**_ALL, "statement_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}
MIGRATES = {**_ALL, "lock_timeout": "30s", "idle_in_transaction_session_timeout": "60s"}

_LINK = {
    "connect_timeout": "5",
    # A server whose machine is gone sends no goodbye: ask after 10 s of silence, give up 15 s later.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
_FITS = text("SELECT current_setting('server_encoding') AS encoding, 'a' > 'B' AND 'é' > 'z' AS by_bytes")


class UnfitDatabase(SlipwayError):
    """The database was made with another encoding, or sorts texts by the rules of a language."""

    kind = Kind.FAILED_PRECONDITION
    reason = "UNFIT_DATABASE"

    def __init__(self, found: str) -> None:
        super().__init__(
            f"the database {found}; make one by: CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
        )


def with_settings(url: URL, settings: dict[str, str]) -> URL:
    """``url`` with our settings of the session; what the URL says itself goes before them."""
    told = {name: value for name, value in _LINK.items() if name not in url.query}
    said = url.query.get("options", "")
    ours = [f"-c {name}={value}" for name, value in settings.items()]
    return url.update_query_dict({**told, "options": " ".join([*ours, said if isinstance(said, str) else said[-1]])})


def make_writer(engine: Engine) -> None:
    """Let each transaction of ``engine`` hold the lock, and refuse to commit one that has failed.

    It waits for the lock as long as the session's lock_timeout says; then DatabaseBusy.

    A COMMIT after an error rolls back and reports success: who swallowed the error would believe in a write that
    is not there.
    """
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(_BEGIN_WRITE))
    event.listen(engine, "commit", _require_sound)


def make_reader(engine: Engine) -> None:
    """Let each transaction of ``engine`` see one snapshot, and write nothing."""
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(_BEGIN_READ))


def require_fit(connection: Connection) -> None:
    """Raise UnfitDatabase unless texts are kept in UTF-8 and sorted by their bytes.

    A language's order differs from what Python, SQLite and page tokens go by, and changes with the system's
    libraries, which then leaves indexes in disorder.
    """
    encoding, by_bytes = connection.execute(_FITS).one()
    if encoding != "UTF8":
        raise UnfitDatabase(f"keeps its texts in {encoding}")
    if not by_bytes:
        raise UnfitDatabase("sorts texts by the rules of a language")


def _require_sound(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if driver is not None and driver.info.transaction_status.name == "INERROR":
        raise DatabaseFailure("a statement failed in this write() and the block went on; let its error leave the block")
