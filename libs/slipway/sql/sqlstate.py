"""PostgreSQL's errors in our own terms, by their SQLSTATE."""

from __future__ import annotations

import re
from collections.abc import Callable

from slipway.errors import InvalidInput, SlipwayError
from slipway.sql.constraint import BrokenReference, Conflict
from slipway.sqlite import CorruptDatabase, DatabaseBusy, DatabaseFailure, DatabaseUnreachable, DiskFull

# "Key (tenant, name)=(a, b) already exists.", in whatever language: the columns stand before the sign.
_KEY = re.compile(r"\(((?:[^()]|\([^()]*\))*)\)=\(")


class Unstorable(InvalidInput):
    """A value that a column can't hold: a text too long or with a NUL in it, a number too large."""

    reason = "UNSTORABLE_VALUE"


def translate(driver: Exception) -> SlipwayError:
    """The error to raise in place of one of psycopg's, which belongs in its ``__cause__``."""
    sqlstate = str(getattr(driver, "sqlstate", None) or "")
    if not sqlstate:
        return _without_state(driver)
    if sqlstate == "23505":
        return Conflict(_columns(driver))
    made = _EXACTLY.get(sqlstate) or _BY_CLASS.get(sqlstate[:2]) or _refused
    return made()


def _without_state(driver: Exception) -> SlipwayError:
    # What fails before a server has answered, or when it goes away in the middle, has no state.
    told = type(driver).__name__
    if told == "DataError":
        return Unstorable("a value can't be stored: a text holds the character NUL; leave it out")
    # Everything that ends a connection is an OperationalError or a subclass of it.
    if any(one.__name__ in {"OperationalError", "InterfaceError"} for one in type(driver).__mro__):
        return _unreachable()
    return _refused()


def _columns(driver: Exception) -> list[str]:
    diagnosis = getattr(driver, "diag", None)
    table = getattr(diagnosis, "table_name", None)
    found = _KEY.search(getattr(diagnosis, "message_detail", None) or "")
    if found and table:
        return [f"{table}.{name}" for name in (one.strip().strip('"') for one in found[1].split(","))]
    # Whoever may not read the columns is not told them.
    constraint = getattr(diagnosis, "constraint_name", None)
    return [constraint] if constraint else []


def _refused() -> SlipwayError:
    return DatabaseFailure("the database refused a statement; the service's log says which")


def _unreachable() -> SlipwayError:
    return DatabaseUnreachable(
        "the database does not answer; see that its server runs, that the database exists and the login is right",
        retry_after_s=1.0,
    )


def _busy() -> SlipwayError:
    return DatabaseBusy("the database is busy with another writer; try again", retry_after_s=0.2)


def _slow() -> SlipwayError:
    return DatabaseBusy("the database took too long over a statement; try again", retry_after_s=1.0)


def _full() -> SlipwayError:
    return DiskFull("the database is out of room; free some space and try again", retry_after_s=5.0)


def _standby() -> SlipwayError:
    return DatabaseUnreachable("the database only reads; let the URL name the primary", retry_after_s=1.0)


def _forbidden() -> SlipwayError:
    return DatabaseUnreachable("the login may not do that; let it own the database", retry_after_s=1.0)


def _corrupt() -> SlipwayError:
    return CorruptDatabase("the database's files are damaged; restore it from a copy")


def _long() -> SlipwayError:
    return Unstorable("a value can't be stored: a text is longer than its column; shorten it")


def _large() -> SlipwayError:
    return Unstorable("a value can't be stored: a number is larger than its column holds; give a smaller one")


def _long_key() -> SlipwayError:
    return Unstorable("a value can't be stored: a key is longer than an index takes (2,700 bytes); shorten it")


_EXACTLY: dict[str, Callable[[], SlipwayError]] = {
    "22001": _long,
    "22003": _large,
    "22021": lambda: Unstorable("a value can't be stored: a text is not valid UTF-8; mend it"),
    "23503": BrokenReference,
    "25006": _standby,
    "25P03": _unreachable,
    "40001": _busy,
    "40P01": _busy,
    "42501": _forbidden,
    "53100": _full,
    "53200": _full,
    "54000": _long_key,
    "55P03": _busy,
    "57014": _slow,
    "XX001": _corrupt,
    "XX002": _corrupt,
}
_BY_CLASS: dict[str, Callable[[], SlipwayError]] = dict.fromkeys(("08", "28", "3D", "53", "57", "58"), _unreachable)
