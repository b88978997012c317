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
from sqlalchemy import make_url

from slipway.sql import Migrations, file_url, migrate

MakeDatabase = Callable[..., str]
"""``make_database(migrations)`` gives the URL of a database at their head, ``make_database()`` that of an empty one."""


class Databases(Protocol):
    """Makes databases of one kind."""

    def make(self, folder: Path, migrations: Migrations | None) -> str: ...

    def release(self, url: str) -> None: ...


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

    def release(self, url: str) -> None:
        """Leave it to the folder's end."""


class PostgresqlDatabases:
    """Databases of one server, emptied and lent again: making and dropping one costs the server a checkpoint."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        # By URL what a database was made for, and what each of its tables held then.
        self._made: dict[str, tuple[Migrations | None, dict[str, bytes]]] = {}
        self._free: list[str] = []

    def make(self, _folder: Path, migrations: Migrations | None) -> str:
        for url in self._free:
            if self._made[url][0] == migrations:
                self._free.remove(url)
                return url
        name = f"test_{uuid.uuid4().hex}"
        self._run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
        url = self._url.set(database=name).render_as_string(hide_password=False)
        if migrations is not None:
            migrate(url, migrations)
        self._made[url] = migrations, self._contents(url) if migrations else {}
        return url

    def release(self, url: str) -> None:
        migrations, contents = self._made[url]
        with psycopg.connect(url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database()"
            )
            if migrations is None:
                connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            else:
                connection.execute(f"TRUNCATE {', '.join(contents)} RESTART IDENTITY CASCADE")
                for table, rows in contents.items():
                    with connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                        copy.write(rows)
        self._free.append(url)

    def close(self) -> None:
        for url in self._made:
            self._run(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    @staticmethod
    def _contents(url: str) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with psycopg.connect(url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                with connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
                    found[table] = b"".join(bytes(part) for part in copy)
        return found

    def _run(self, statement: str) -> None:
        with psycopg.connect(self._url.render_as_string(hide_password=False), autocommit=True) as connection:
            connection.execute(statement)


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
            made.callback(databases.release, url)
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
