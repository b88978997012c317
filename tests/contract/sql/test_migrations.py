"""Revisions, on whichever database stands behind the URL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from slipway.errors import Kind
from slipway.sql import BrokenReference, Database, Migrations, SchemaMismatch, migrate

MakeMigrations = Callable[..., Migrations]

MODELS = 'op.execute("CREATE TABLE models (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")'
OWNER = 'op.execute("ALTER TABLE models ADD COLUMN owner TEXT")'
BROKEN = 'op.execute("CREATE TABLE later (id INTEGER)"); op.execute("NOT SQL")'


def tables(url: str) -> set[str]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


async def test_migrate_applies_what_is_missing_and_is_safe_twice(url: str, make_migrations: MakeMigrations) -> None:
    assert migrate(url, make_migrations("first_schema", MODELS)) == ["0001"]
    both = make_migrations("first_schema", MODELS, OWNER)
    assert migrate(url, both) == ["0002"]
    assert migrate(url, both) == []
    async with Database.open(url, both):
        pass


def test_a_failing_revision_leaves_none_of_the_run(url: str, make_migrations: MakeMigrations) -> None:
    with pytest.raises(Exception, match="refused a statement"):
        migrate(url, make_migrations("broken_schema", MODELS, BROKEN))
    assert tables(url) == set()


_MIGRATE_ON_CALL = """
import sys
from slipway.sql import Migrations, migrate

migrations = Migrations("shared_schema")
migrate(sys.argv[1], migrations)
print("ready", flush=True)
for url in sys.stdin:
    print(*migrate(url.strip(), migrations), flush=True)
"""


def test_processes_that_migrate_at_once_apply_each_revision_once(
    tmp_path: Path, make_migrations: MakeMigrations, make_database: Callable[[], str]
) -> None:
    make_migrations("shared_schema", MODELS, OWNER)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _MIGRATE_ON_CALL, make_database()],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    told = "".join(f"{make_database()}\n" for _ in range(4))
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write(told)
        child.stdin.flush()
    outputs = [child.communicate()[0].split("\n")[:-1] for child in children]
    assert [child.returncode for child in children] == [0] * 3
    assert [sorted(of_one) for of_one in zip(*outputs, strict=True)] == [["", "", "0001 0002"]] * 4


async def test_open_refuses_a_database_without_schema(url: str, make_migrations: MakeMigrations) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        async with Database.open(url, make_migrations("unmade_schema", MODELS)):
            pass
    assert caught.value.kind is Kind.FAILED_PRECONDITION
    assert "none" in caught.value.message
    assert "0001" in caught.value.message
    assert "slipway-registry migrate" in caught.value.message


async def test_open_refuses_an_older_schema(url: str, make_migrations: MakeMigrations) -> None:
    migrate(url, make_migrations("older_schema", MODELS))
    with pytest.raises(SchemaMismatch, match=r"0001.*0002.*run: slipway-registry migrate") as caught:
        async with Database.open(url, make_migrations("older_schema", MODELS, OWNER)):
            pass
    assert caught.value.facts == {"found": "0001", "expected": "0002"}


async def test_open_and_migrate_refuse_a_newer_schema(url: str, make_migrations: MakeMigrations) -> None:
    migrate(url, make_migrations("newer_schema", MODELS, OWNER))
    old = make_migrations("old_code_schema", MODELS)
    with pytest.raises(SchemaMismatch, match=r"0002.*0001.*newer"):
        async with Database.open(url, old):
            pass
    with pytest.raises(SchemaMismatch, match="newer"):
        migrate(url, old)


def test_a_revision_that_breaks_references_is_refused(url: str, make_migrations: MakeMigrations) -> None:
    child = 'op.execute("CREATE TABLE versions (model INTEGER REFERENCES models(id))")'
    orphan = 'op.execute("INSERT INTO versions VALUES (7)")'
    # SQLite looks for them at the end, PostgreSQL at the statement.
    with pytest.raises((RuntimeError, BrokenReference), match="name"):
        migrate(url, make_migrations("orphan_schema", MODELS, child, orphan))
    assert tables(url) == set()


def test_a_package_without_versions_is_named(url: str) -> None:
    with pytest.raises(LookupError, match=r"json.*versions"):
        migrate(url, Migrations("json"))
