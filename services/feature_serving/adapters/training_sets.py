"""Training sets in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.feature_serving.adapters import tables
from services.feature_serving.domain.recipe import from_document, mark, to_document
from services.feature_serving.domain.training_set import (
    Contents,
    Facts,
    SetColumn,
    SetInput,
    SetState,
    TrainingSet,
)
from slipway.paging import Page
from slipway.sql import Database, Transactions

_TABLE, _REQUEST = tables.training_set, tables.training_set_request


class SqlSetReader:
    """One snapshot of the training sets."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, set_id: str) -> TrainingSet | None:
        """See SetReader."""
        return await self._first(select(_TABLE).where(_TABLE.c.id == set_id))

    async def page(self, page: Page) -> Sequence[tuple[int, TrainingSet]]:
        """See SetReader."""
        query = select(_TABLE).order_by(_TABLE.c.position.desc()).limit(page.fetch)
        if page.after:
            query = query.where(_TABLE.c.position < page.after[0])
        return [(row.position, _set_of(row)) for row in await self._connection.execute(query)]

    async def asked(self, request_id: str) -> tuple[TrainingSet, str] | None:
        """See SetReader."""
        query = select(_REQUEST).where(_REQUEST.c.request_id == request_id)
        row = (await self._connection.execute(query)).one_or_none()
        found = await self.get(row.training_set) if row else None
        return (found, row.fingerprint) if row and found else None

    async def made_by(self, recipe_mark: str) -> TrainingSet | None:
        """See SetReader."""
        failed = SetState.FAILED.value
        query = select(_TABLE).where(_TABLE.c.mark == recipe_mark, _TABLE.c.state != failed)
        return await self._first(query.order_by(_TABLE.c.position.desc()).limit(1))

    async def next(self) -> TrainingSet | None:
        """See SetReader."""
        query = select(_TABLE).where(_TABLE.c.state == SetState.BUILDING.value)
        return await self._first(query.order_by(_TABLE.c.position).limit(1))

    async def _first(self, query: Select[Any]) -> TrainingSet | None:
        row = (await self._connection.execute(query)).one_or_none()
        return _set_of(row) if row else None


class SqlSetWriter(SqlSetReader):
    """The writing transaction."""

    async def add(self, made: TrainingSet) -> None:
        """See SetWriter."""
        await self._connection.execute(
            insert(_TABLE).values(
                id=made.id,
                mark=mark(made.recipe),
                recipe=to_document(made.recipe),
                create_time=made.create_time,
                **_standing(made),
            )
        )

    async def remember(self, request_id: str, fingerprint: str, set_id: str) -> None:
        """See SetWriter."""
        values = {"request_id": request_id, "fingerprint": fingerprint, "training_set": set_id}
        await self._connection.execute(insert(_REQUEST).values(**values))

    async def finish(self, made: TrainingSet) -> None:
        """See SetWriter."""
        building = (_TABLE.c.id == made.id) & (_TABLE.c.state == SetState.BUILDING.value)
        await self._connection.execute(update(_TABLE).where(building).values(**_standing(made)))


class SqlTrainingSets(Transactions[SqlSetReader, SqlSetWriter]):
    """See TrainingSets."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, SqlSetReader, SqlSetWriter)


def _standing(made: TrainingSet) -> Mapping[str, Any]:
    return {
        "state": made.state.value,
        "error": made.error,
        "contents": None if made.contents is None else asdict(made.contents),
        "finish_time": made.finish_time,
    }


def _set_of(row: Row[Any]) -> TrainingSet:
    return TrainingSet(
        id=row.id,
        recipe=from_document(row.recipe),
        create_time=row.create_time,
        state=SetState(row.state),
        error=row.error,
        contents=None if row.contents is None else _contents_of(row.contents),
        finish_time=row.finish_time,
    )


def _contents_of(document: Mapping[str, Any]) -> Contents:
    facts = document["facts"]
    return Contents(
        document["digest"],
        document["size_bytes"],
        Facts(
            facts["row_count"],
            facts["rows_after_cutoff"],
            tuple(SetColumn(**one) for one in facts["columns"]),
            tuple(SetInput(**one) for one in facts["inputs"]),
        ),
    )
