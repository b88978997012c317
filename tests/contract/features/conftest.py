"""The adapters that the suites run on. A new one adds its name here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.feature_serving.adapters.sql import MIGRATIONS, SqlCatalogue
from services.feature_serving.ports import Catalogue
from slipway.sql import Database, file_url, migrate


@pytest.fixture(params=["sqlite"])
async def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Catalogue]:
    assert request.param == "sqlite"
    url = file_url(tmp_path / "features.db")
    migrate(url, MIGRATIONS)
    async with Database.open(url, MIGRATIONS) as database:
        yield SqlCatalogue(database)
