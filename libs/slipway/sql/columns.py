"""Column types that every service needs, equal on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Json(TypeDecorator[Any]):
    """A JSON value, kept as it was written; None is SQL's NULL. NaN and infinities are refused.

    ``json`` on PostgreSQL: ``jsonb`` would give 1e300 back as a whole number, and objects in another order.
    """

    impl = JSON(none_as_null=True)
    cache_ok = True


class UtcTime(TypeDecorator[datetime]):
    """An instant: aware in, aware in UTC out, to the microsecond.

    Microseconds since 1970 on SQLite, where they compare and sort as numbers; ``timestamptz`` on PostgreSQL.
    A naive datetime is refused: nobody knows which instant it means.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Pick the column's type on this database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Encode one instant."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone; give an aware datetime")
        return value if dialect.name == "postgresql" else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Decode one instant."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return _EPOCH + timedelta(microseconds=value)
