"""Schema revisions: applying them, and refusing to run on the wrong one.

Only forward: a downgrade would have to drop what newer code has written and announced by events that others
acted on. Going back means the backup taken before, or a new revision that goes on.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.schema import SchemaItem

from slipway import sqlite
from slipway.errors import Kind, SlipwayError
from slipway.failpoints import hit
from slipway.sql import engines, place, postgresql, revisions

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

# Alembic's own, with one row a head.
_TABLE = "alembic_version"


class TableMaker(Protocol):
    """What a revision's ``upgrade()`` hands to a library that brings a table of its own: Alembic's ``op``."""

    def create_table(self, table_name: str, *columns: SchemaItem, **kw: Any) -> Table:
        """Create a table."""
        ...


@dataclass(frozen=True)
class Migrations:
    """Where a service's revisions are, and how an operator applies them.

    ``package`` is importable and holds ``versions/<revision>_<what>.py``, each with Alembic's ``revision``,
    ``down_revision`` and ``upgrade()``; no env.py and no ini file. ``command`` is named in errors.
    """

    package: str
    command: str = "the service's migrate command"


class SchemaMismatch(SlipwayError):
    """The database's schema is not the one that this code was written for."""

    kind = Kind.FAILED_PRECONDITION
    reason = "SCHEMA_MISMATCH"

    def __init__(self, found: str, expected: str, mend: str) -> None:
        super().__init__(
            f"the database's schema is at revision {found}, this version needs {expected}; {mend}",
            facts={"found": found, "expected": expected},
        )


def migrate(url: str, migrations: Migrations) -> list[str]:
    """Apply every revision that is missing; returns their ids, oldest first. Blocks; for commands.

    All of them commit together or none does. Running it again, or in two processes at once, is safe: the
    one writer's lock is taken before the current revision is read.

    Raises SchemaMismatch for a schema that is newer than this code, UnfitDatabase for one that a PostgreSQL keeps in
    another order or encoding, and a :mod:`slipway.sqlite` error when the database can't be written.
    """
    head = head_of(migrations)
    parsed = place.parse(url)
    if file := place.file_of(parsed):
        sqlite.prepare(file)
    engine = engines.migrator(parsed)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == place.POSTGRESQL:
                postgresql.require_fit(connection)
            if revisions_of(connection) == (head,):
                return []
            applied = _upgrade(connection, head, migrations)
            hit("sql.migrate.before")
        hit("sql.migrate.after")
        return applied
    finally:
        engine.dispose()


def head_of(migrations: Migrations) -> str:
    """The newest revision that the code knows."""
    return revisions.head(_folder(migrations))


def revisions_of(connection: Connection) -> tuple[str, ...]:
    """The revisions that the database says it is at; empty before the first."""
    if not inspect(connection).has_table(_TABLE):
        return ()
    return tuple(connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalars())  # noqa: S608


def require_head(migrations: Migrations, found: tuple[str, ...], head: str) -> None:
    """Raise SchemaMismatch unless the database is at ``head`` exactly."""
    if found == (head,):
        return
    if not found:
        raise SchemaMismatch("none", head, f"run: {migrations.command}")
    _refuse_unknown(migrations, found, _script(migrations), head)
    raise SchemaMismatch(_names(found), head, f"it is older; run: {migrations.command}")


def _refuse_unknown(migrations: Migrations, found: tuple[str, ...], script: ScriptDirectory, head: str) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    if not known.issuperset(found):
        raise SchemaMismatch(
            _names(found),
            head,
            "this version does not know that revision, so a newer one made it: install that version "
            f"or restore the backup, then run: {migrations.command}",
        )


def _upgrade(connection: Connection, head: str, migrations: Migrations) -> list[str]:
    from alembic.operations import Operations  # noqa: PLC0415 - Alembic is slow to import
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    script = _script(migrations)
    _refuse_unknown(migrations, revisions_of(connection), script, head)
    applied: list[str] = []
    context = MigrationContext.configure(
        connection,
        opts={
            "script": script,
            "transactional_ddl": True,
            # Alembic's own upgrade command, and its cookbook, name the steps by this method alone.
            "fn": lambda revision, _context: script._upgrade_revs("head", revision),  # noqa: SLF001
            "on_version_apply": [lambda *, step, **_: applied.append(str(step.up_revision_id))],
        },
    )
    with Operations.context(context):
        context.run_migrations()
    if applied and connection.dialect.name == place.SQLITE:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise RuntimeError(f"the revisions {applied} left rows of {broken[0][0]} that name missing ones")
    return applied


def _script(migrations: Migrations) -> ScriptDirectory:
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory(str(_folder(migrations)))


def _folder(migrations: Migrations) -> Path:
    spec = importlib.util.find_spec(migrations.package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders or not (Path(folders[0]) / "versions").is_dir():
        raise LookupError(f"{migrations.package} is not a package with a versions folder")
    return Path(folders[0])


def _names(revisions: Iterable[str]) -> str:
    return ", ".join(sorted(revisions))
