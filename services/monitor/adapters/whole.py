"""Whole numbers of any size in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator


class Whole(TypeDecorator[int]):
    """A whole number of any size, as its digits: no database's integers hold the square of what labels may be."""

    impl = String(400)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """Encode one number."""
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """Decode one number."""
        return None if value is None else int(value)
