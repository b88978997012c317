from __future__ import annotations

import sqlite3

import pytest

from slipway import sqlite
from slipway.errors import SlipwayError

CASES = [
    (sqlite3.SQLITE_BUSY, sqlite.DatabaseBusy),
    (sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite.DatabaseBusy),
    (sqlite3.SQLITE_LOCKED_SHAREDCACHE, sqlite.DatabaseBusy),
    (sqlite3.SQLITE_FULL, sqlite.DiskFull),
    (sqlite3.SQLITE_CORRUPT_VTAB, sqlite.CorruptDatabase),
    (sqlite3.SQLITE_NOTADB, sqlite.CorruptDatabase),
    (sqlite3.SQLITE_CANTOPEN_ISDIR, sqlite.DatabaseUnreachable),
    (sqlite3.SQLITE_IOERR_FSYNC, sqlite.DatabaseUnreachable),
    (sqlite3.SQLITE_READONLY, sqlite.DatabaseUnreachable),
    (sqlite3.SQLITE_ERROR, sqlite.DatabaseFailure),
    (None, sqlite.DatabaseFailure),
]


@pytest.mark.parametrize(("code", "expected"), CASES)
def test_a_code_becomes_the_error_that_says_what_to_do(code: int | None, expected: type[SlipwayError]) -> None:
    driver = sqlite3.OperationalError("near 'secret': a driver's own words")
    if code is not None:
        driver.sqlite_errorcode = code
    error = sqlite.translate(driver)
    assert type(error) is expected
    assert "secret" not in error.message


def test_only_what_may_pass_says_when_to_try_again() -> None:
    for code, expected in CASES:
        driver = sqlite3.OperationalError("x")
        driver.sqlite_errorcode = code or sqlite3.SQLITE_ERROR
        passing = expected in {sqlite.DatabaseBusy, sqlite.DiskFull, sqlite.DatabaseUnreachable}
        assert (sqlite.translate(driver).retry_after_s is not None) is passing
