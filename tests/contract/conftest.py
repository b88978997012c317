"""The databases that suites of tables run on: each test has an empty or a migrated one of its own."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from slipway.sql import Migrations, file_url, migrate

MakeDatabase = Callable[..., str]
"""``make_database(migrations)`` gives the URL of a database at their head, ``make_database()`` that of an empty one."""


class Databases(Protocol):
    """Makes databases of one kind."""

    def make(self, folder: Path, migrations: Migrations | None) -> str: ...

    def drop(self, url: str) -> None: ...


class SqliteFiles:
    """Files; one that is migrated is a copy of the first of its kind."""

    def __init__(self, templates: Path) -> None:
        self._templates = templates

    def make(self, folder: Path, migrations: Migrations | None) -> str:
        file = folder / "deep" / "er" / f"{uuid.uuid4().hex}.db"
        if migrations is None:
            return file_url(file)
        template = self._templates / f"{migrations.package}.db"
        if not template.exists():
            migrate(file_url(template), migrations)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(template, file)
        return file_url(file)

    def drop(self, url: str) -> None:
        """Leave it to the folder's end."""


class PostgresqlDatabases:
    """Databases of one server; one that is migrated has the first of its kind for a template."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._templates: dict[str, str] = {}

    def make(self, _folder: Path, migrations: Migrations | None) -> str:
        return self._create("template0" if migrations is None else self._template(migrations))

    def drop(self, url: str) -> None:
        self._run("DROP DATABASE {} WITH (FORCE)", str(make_url(url).database))

    def close(self) -> None:
        for name in self._templates.values():
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def _template(self, migrations: Migrations) -> str:
        if migrations.package not in self._templates:
            url = self._create("template0")
            migrate(url, migrations)
            self._templates[migrations.package] = str(make_url(url).database)
        return self._templates[migrations.package]

    def _create(self, template: str) -> str:
        name = f"test_{uuid.uuid4().hex}"
        self._run("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' LOCALE 'C'", name, template)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str, *names: str) -> None:
        # A connection of its own each time: nothing here is there in the middle of a test.
        with psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(SQL(statement).format(*(Identifier(name) for name in names)))


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("templates"))


@pytest.fixture(scope="session")
def postgresql_databases(postgres_url: str) -> Iterator[PostgresqlDatabases]:
    databases = PostgresqlDatabases(postgres_url)
    yield databases
    databases.close()


def _kind(request: pytest.FixtureRequest, name: str) -> Databases:
    named = {"sqlite": "sqlite_files", "postgresql": "postgresql_databases"}
    made: Databases = request.getfixturevalue(named[name])
    return made


@contextmanager
def _made(databases: Databases, folder: Path) -> Iterator[MakeDatabase]:
    with ExitStack() as made:

        def make(migrations: Migrations | None = None) -> str:
            url = databases.make(folder, migrations)
            made.callback(databases.drop, url)
            return url

        yield make


@pytest.fixture(params=["sqlite", "postgresql"])
def make_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Makes databases for one test; a suite that asks for it runs on every kind."""
    with _made(_kind(request, request.param), tmp_path) as make:
        yield make


@pytest.fixture
def make_postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Makes databases for a test of what PostgreSQL alone does."""
    with _made(_kind(request, "postgresql"), tmp_path) as make:
        yield make


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def memory_or_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[Migrations], str | None]]:
    """For a port with an adapter in memory too: the URL of a migrated database of its own, None for that one."""
    if request.param == "memory":
        yield lambda _: None
        return
    with _made(_kind(request, request.param), tmp_path) as make:
        yield make
