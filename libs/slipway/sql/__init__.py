"""Tables: one async port on SQLAlchemy Core, on SQLite or PostgreSQL, as the URL says.

A service owns one database. :meth:`Database.read` gives a consistent snapshot that can't write;
:meth:`Database.write` gives the one writer: it holds the write lock from its first statement, commits when
the block ends and rolls back when it raises. What was committed survives kill -9. There is one writer a database,
however many processes write, on both alike: docs/decisions/0013.

The schema is made by Alembic from the first table on: a service has ``adapters/migrations/versions/*.py``
and nothing else, :func:`migrate` applies them, and :meth:`Database.open` refuses a schema that is older or
newer than the code. Alembic is imported by those two only.

Driver errors are :class:`slipway.errors.SlipwayError` here and further out: :class:`Conflict` for a broken
uniqueness, which adapters turn into their domain's error; :class:`Unstorable` for a value that PostgreSQL's columns
can't hold; the others as :mod:`slipway.sqlite` names them.
"""

from slipway.sql.columns import Json, UtcTime
from slipway.sql.constraint import BrokenReference, Conflict
from slipway.sql.database import Database
from slipway.sql.migrations import Migrations, SchemaMismatch, TableMaker, migrate
from slipway.sql.place import file_url
from slipway.sql.postgresql import UnfitDatabase
from slipway.sql.sqlstate import Unstorable
from slipway.sql.transactions import Transactions
from slipway.sqlite import CorruptDatabase, DatabaseBusy, DatabaseFailure, DatabaseUnreachable, DiskFull

__all__ = [
    "BrokenReference",
    "Conflict",
    "CorruptDatabase",
    "Database",
    "DatabaseBusy",
    "DatabaseFailure",
    "DatabaseUnreachable",
    "DiskFull",
    "Json",
    "Migrations",
    "SchemaMismatch",
    "TableMaker",
    "Transactions",
    "UnfitDatabase",
    "Unstorable",
    "UtcTime",
    "file_url",
    "migrate",
]
