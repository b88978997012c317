"""Each service's tables, from every revision that was ever committed to the newest one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, insert, select, text

from slipway.config import load
from slipway.sql import SchemaMismatch, migrate
from tests.contract.migrations.aged import SERVICES, MakeAged, connected, versions_of

AGES = [(service, age) for service, migrations in SERVICES.items() for age in list(versions_of(migrations))[:-1]]
NOW = datetime(2013, 1, 1, tzinfo=UTC)
# One of each: what a column of that kind may hold, equal where one names another.
VALUES: dict[type, object] = {str: "x", int: 1, float: 1.5, bool: True, bytes: b"x", object: {"x": [1]}, datetime: NOW}


def reflected(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != "alembic_version"]


def rows_of(connection: Connection, table: Table, names: list[str]) -> list[Any]:
    return [tuple(row) for row in connection.execute(select(*(table.c[name] for name in names)))]


@pytest.mark.parametrize(("service", "age"), AGES)
def test_what_was_kept_at_any_age_is_there_after_the_upgrade(service: str, age: str, make_aged: MakeAged) -> None:
    migrations = SERVICES[service]
    url = make_aged(migrations, age)
    kept: dict[str, tuple[list[str], list[Any]]] = {}
    with connected(url) as connection:
        for table in reflected(connection):
            names = [column.name for column in table.columns]
            # The revision itself may have put a row.
            if not rows_of(connection, table, names):
                values = {column.name: VALUES[column.type.python_type] for column in table.columns}
                connection.execute(insert(table).values(values))
            kept[table.name] = (names, rows_of(connection, table, names))

    assert migrate(url, migrations) == [one for one in versions_of(migrations) if one > age]
    assert migrate(url, migrations) == []
    with connected(url) as connection:
        upgraded = {table.name: table for table in reflected(connection)}
        for name, (columns, rows) in kept.items():
            assert rows_of(connection, upgraded[name], columns) == rows


@pytest.mark.parametrize("service", SERVICES)
def test_the_newest_schema_is_the_one_that_the_code_states(service: str, make_database: Callable[..., str]) -> None:
    stated = import_module(f"services.{service}.adapters.tables").metadata
    with connected(make_database(SERVICES[service])) as connection:
        assert compare_metadata(MigrationContext.configure(connection), stated) == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_schema_that_is_older_or_newer_is_not_served(
    service: str, make_aged: MakeAged, make_database: Callable[..., str], tmp_path: Path
) -> None:
    migrations, main = SERVICES[service], import_module(f"services.{service}.main")
    config, newest = get_type_hints(main.compose)["config"], list(versions_of(migrations))[-1]
    newer = make_database(migrations)
    with connected(newer) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for url, found, told in ((make_aged(migrations, "0001"), "0001", "older"), (newer, "9999", "newer")):
        variables = {"SLIPWAY_DATA": str(tmp_path), f"SLIPWAY_{service.upper()}_DATABASE": url}
        with pytest.raises(SchemaMismatch, match=told) as caught:
            async with main.compose(load(config, environ=variables)):
                pass
        assert caught.value.facts == {"found": found, "expected": newest}
