"""Names that people give to things, held to an allow-list before anything else looks at them."""

from __future__ import annotations

import re
from functools import lru_cache

from slipway.errors import invalid_field

_RESOURCE = re.compile(r"[a-z][a-z0-9._-]{0,127}", re.ASCII)
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,127}", re.ASCII)
_REQUEST = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


@lru_cache(maxsize=4096)
def is_resource_name(value: str) -> bool:
    """Whether :func:`resource_name` lets it pass; asked of the same names again and again it costs next to nothing."""
    return _RESOURCE.fullmatch(value) is not None


@lru_cache(maxsize=16_384)
def is_column_name(value: str) -> bool:
    """Whether :func:`column_name` lets it pass; asked of the same names again and again it costs next to nothing."""
    return _COLUMN.fullmatch(value) is not None


def resource_name(field: str, value: str) -> str:
    """A model, alias, endpoint, route or workflow: ``flight-delay``. Raises InvalidInput about ``field``."""
    return _check(
        _RESOURCE,
        field,
        value,
        "lower-case letters, digits, '-', '_' and '.', starting with a letter, at most 128 characters",
    )


def column_name(field: str, value: str) -> str:
    """A feature column or a tensor: ``sched_dep_hour``. Raises InvalidInput about ``field``."""
    return _check(
        _COLUMN, field, value, "letters, digits, '_', '.' and '-', starting with a letter, at most 128 characters"
    )


def identifier(field: str, value: str) -> str:
    """A feature view, feature or entity, as Feast allows them: ``plane_age``. Raises InvalidInput about ``field``."""
    return _check(
        _IDENTIFIER, field, value, "lower-case letters, digits and '_', starting with a letter, at most 128 characters"
    )


def request_id(field: str, value: str) -> str:
    """A caller's idempotency key. Raises InvalidInput about ``field``."""
    return _check(_REQUEST, field, value, "1 to 128 printable ASCII characters without spaces, such as a UUID")


def _check(pattern: re.Pattern[str], field: str, value: str, rule: str) -> str:
    if pattern.fullmatch(value):
        return value
    shown = value if len(value) <= 40 else value[:40] + "…"
    raise invalid_field(field, f"{'is empty' if not value else f'{shown!r} is not allowed'}; use {rule}")
