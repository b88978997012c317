from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.feature_serving.adapters.sql import MIGRATIONS, SqlCatalogue
from services.feature_serving.domain.errors import FeatureViewNotFound
from services.feature_serving.domain.service import Reference
from services.feature_serving.domain.view import Definition, Feature, FeatureView, ValueType
from services.feature_serving.engine.compiled import Compiled
from slipway.clock import ManualClock
from slipway.sql import Database, file_url, migrate

SEATS = (Feature("seats", ValueType.INT32),)
PLANES = FeatureView(Definition("planes", "fleet", "", ("tailnum",), SEATS), 1, datetime(2013, 1, 1, tzinfo=UTC))
RENAMED = replace(PLANES, definition=replace(PLANES.definition, owner="dock"), revision=2)


@pytest.fixture
async def catalogue(tmp_path: Path) -> AsyncIterator[SqlCatalogue]:
    url = file_url(tmp_path / "features.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield SqlCatalogue(database)


async def put(catalogue: SqlCatalogue, view: FeatureView) -> None:
    async with catalogue.write() as writer:
        await writer.put(view)


async def test_a_view_is_kept_for_a_second_or_until_it_is_told(catalogue: SqlCatalogue) -> None:
    clock = ManualClock()
    compiled = Compiled(catalogue, clock)
    await put(catalogue, PLANES)
    assert await compiled.view("planes", "view") == PLANES
    await put(catalogue, RENAMED)
    assert await compiled.view("planes", "view") == PLANES
    clock.advance(1)
    assert await compiled.view("planes", "view") == RENAMED
    await put(catalogue, PLANES)
    compiled.forget()
    assert await compiled.view("planes", "view") == PLANES


async def test_what_does_not_exist_is_asked_for_each_time(catalogue: SqlCatalogue) -> None:
    compiled = Compiled(catalogue, ManualClock())
    for wanted in (compiled.view("planes", "view"), compiled.plan("", [Reference("planes", "seats")])):
        with pytest.raises(FeatureViewNotFound):
            await wanted
    await put(catalogue, PLANES)
    assert (await compiled.plan("", [Reference("planes", "seats")])).entities == ("tailnum",)
    assert await compiled.view("planes", "view") == PLANES
