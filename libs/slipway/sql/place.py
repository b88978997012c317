"""Which database a URL names."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from slipway.errors import invalid_field

SQLITE = "sqlite"
POSTGRESQL = "postgresql"


def file_url(path: Path) -> str:
    """The URL of a SQLite file."""
    return f"sqlite:///{path}"


def parse(url: str) -> URL:
    """Read a database URL, without a driver: ``sqlite:////abs/file.db`` or ``postgresql://host/name``.

    Raises InvalidInput about ``database.url``. The URL itself is never repeated: it may hold a password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise invalid_field(
            "database.url", "is not a URL; write sqlite:////folder/file.db or postgresql://user@host/name"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in {SQLITE, POSTGRESQL}:
        raise invalid_field("database.url", f"names {backend!r}; use sqlite or postgresql")
    if backend == SQLITE and parsed.database in {None, "", ":memory:"}:
        raise invalid_field("database.url", "names no file; write sqlite:////folder/file.db")
    return parsed.set(drivername=backend)


def file_of(url: URL) -> Path | None:
    """The file of a SQLite database, None for a server's."""
    if url.get_backend_name() != SQLITE or url.database is None:
        return None
    return Path(url.database)
