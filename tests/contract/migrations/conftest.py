"""Databases of every age: as each committed revision of each service left them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.sql import Migrations, migrate
from tests.contract.migrations.aged import MakeAged, versions_of


@pytest.fixture
def make_aged(make_database: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeAged:
    """``make_aged(migrations, "0001")``: a database that code of that age has made."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(migrations: Migrations, newest: str) -> str:
        package = f"until_{newest}_{migrations.package.replace('.', '_')}"
        folder = tmp_path / package / "versions"
        folder.mkdir(parents=True)
        (folder.parent / "__init__.py").touch()
        kept = {name: file for name, file in versions_of(migrations).items() if name <= newest}
        for file in kept.values():
            shutil.copy(file, folder)
        url = make_database()
        assert migrate(url, Migrations(package)) == list(kept)
        return url

    return make
