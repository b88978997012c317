from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from slipway.sql import Database, Json, UtcTime, file_url

METADATA = MetaData()
ROWS = Table("rows", METADATA, Column("id", Integer, primary_key=True), Column("at", UtcTime), Column("doc", Json))
DIALECT = sqlite.dialect()


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-14 * 60, 14 * 60))
def test_any_instant_survives_in_any_zone(instant: datetime, zone_minutes: int) -> None:
    column = UtcTime()
    zone = timezone(timedelta(minutes=zone_minutes))
    try:
        elsewhere = instant.astimezone(zone)
    except OverflowError:
        return
    stored = column.process_bind_param(elsewhere, DIALECT)
    back = column.process_result_value(stored, DIALECT)
    assert back == instant
    assert back is not None
    assert back.tzinfo is UTC


async def test_rows_keep_instants_and_documents(tmp_path: Path) -> None:
    first, second = datetime(2013, 1, 1, 5, tzinfo=UTC), datetime(2013, 1, 1, 6, 0, 0, 1, tzinfo=UTC)
    async with Database.open(file_url(tmp_path / "x.db")) as database:
        async with database.write() as connection:
            await connection.run_sync(METADATA.create_all)
            await connection.execute(
                insert(ROWS), [{"at": second, "doc": {"k": [1, None]}}, {"at": first, "doc": None}]
            )
        async with database.read() as connection:
            rows = (await connection.execute(select(ROWS.c.at, ROWS.c.doc).order_by(ROWS.c.at))).all()
            late = (await connection.execute(select(ROWS.c.doc).where(ROWS.c.at > first))).scalars().all()
    assert [tuple(row) for row in rows] == [(first, None), (second, {"k": [1, None]})]
    assert late == [{"k": [1, None]}]


@pytest.mark.parametrize(
    "values",
    [{"at": datetime(2013, 1, 1)}, {"doc": {"loss": float("nan")}}],
)
async def test_what_has_no_one_meaning_is_refused(tmp_path: Path, values: dict[str, object]) -> None:
    async with Database.open(file_url(tmp_path / "x.db")) as database, database.write() as connection:
        await connection.run_sync(METADATA.create_all)
        with pytest.raises(StatementError):
            await connection.execute(insert(ROWS).values(**values))
