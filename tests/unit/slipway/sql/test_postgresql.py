"""How a PostgreSQL session is set up, as its URL says."""

from __future__ import annotations

from sqlalchemy import make_url

from slipway.sql.postgresql import READS, WRITES, with_settings


def test_a_session_is_bounded_and_in_utc() -> None:
    url = with_settings(make_url("postgresql://u@h/d"), WRITES)
    for told in ("TimeZone=UTC", "lock_timeout=5s", "synchronous_commit=on", "idle_in_transaction_session_timeout=30s"):
        assert f"-c {told}" in url.query["options"]
    assert (url.query["connect_timeout"], url.query["tcp_user_timeout"]) == ("5", "15000")


def test_what_the_url_says_itself_counts() -> None:
    said = make_url("postgresql://u@h/d?options=-c%20statement_timeout%3D1h&connect_timeout=60&sslmode=require")
    url = with_settings(said, READS)
    options = url.query["options"]
    assert isinstance(options, str)
    # The server goes by the last one.
    assert options.rindex("statement_timeout=1h") > options.index("statement_timeout=30s")
    assert (url.query["connect_timeout"], url.query["sslmode"]) == ("60", "require")
