"""Windows of event time in queries: the key that two tables share, and stretches of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, tuple_

from services.monitor.domain.batch import Arm
from services.monitor.domain.window import Span
from slipway.paging import Page

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = ("start_us", "endpoint", "model", "version", "route", "end_us")


def key_of(table: Table) -> list[ColumnElement[Any]]:
    """The columns by which windows are told apart and sorted."""
    return [table.c[name] for name in _KEY]


def key_row(arm: Arm, start_us: int, end_us: int) -> dict[str, object]:
    """The values of those columns."""
    return {
        "start_us": start_us,
        "end_us": end_us,
        "endpoint": arm.endpoint,
        "model": arm.model,
        "version": arm.version,
        "route": arm.route,
    }


def within(table: Table, span: Span, query: Select[Any]) -> Select[Any]:
    """``query`` held to the windows of ``span``."""
    if span.endpoint:
        query = query.where(table.c.endpoint == span.endpoint)
    return query.where(*moments(table.c.start_us, span))


def moments(column: ColumnElement[int], span: Span) -> list[ColumnElement[bool]]:
    """That ``column``, microseconds since 1970, is in the stretch of ``span``."""
    bounds = []
    if span.start_time:
        bounds.append(column >= _microseconds(span.start_time))
    if span.end_time:
        bounds.append(column < _microseconds(span.end_time))
    return bounds


def paged(table: Table, page: Page, query: Select[Any]) -> Select[Any]:
    """``query`` in the order of the key, from the page's place on."""
    key = key_of(table)
    if page.after:
        query = query.where(tuple_(*key) > tuple_(*page.after))
    return query.order_by(*key).limit(page.fetch)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
