"""A registry that is older than rollouts: what it kept is there after the upgrade."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import services.registry.adapters.migrations as revisions
from services.registry.adapters.sql import MIGRATIONS, SqlCatalogue
from slipway import sql
from slipway.sql import Database, Migrations

OLD = """
INSERT INTO model VALUES ('m', 'dock', '', 0, 2);
INSERT INTO model_version VALUES ('m', 1, 'r1', 'f', 'sha256:a', 1, '{"inputs": [{"name": "x", "datatype": "FP32",
  "nullable": true, "description": ""}], "outputs": [{"name": "p", "datatype": "FP32", "shape": [-1, 1]}]}', '{}', '{}',
  '{"data": {"digest": "d", "source": "s", "row_count": 3}, "code": {"digest": "", "revision": "", "workflow": ""},
  "run_id": ""}', 0);
INSERT INTO alias VALUES ('m', 'champion', 1, 5);
INSERT INTO endpoint VALUES ('late', 1, 7, 0);
INSERT INTO route VALUES ('late', 0, 'main', 'm', 0, 'champion', 100, 1);
"""


async def test_versions_aliases_and_endpoints_of_the_first_revision_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Path(str(revisions.__file__)).parent / "versions" / "0001_first_tables.py"
    versions = tmp_path / "first_registry_revisions" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "__init__.py").touch()
    shutil.copy(first, versions)
    monkeypatch.syspath_prepend(tmp_path)
    url = sql.file_url(tmp_path / "registry.db")
    assert sql.migrate(url, Migrations("first_registry_revisions", "migrate")) == ["0001"]
    with closing(sqlite3.connect(tmp_path / "registry.db")) as connection:
        connection.executescript(OLD)

    assert sql.migrate(url, MIGRATIONS) == ["0002"]
    async with Database.open(url, MIGRATIONS) as database, SqlCatalogue(database, lambda: None).read() as reader:
        version = await reader.version("m", 1)
        assert version is not None
        assert (version.draft.baseline, version.draft.signature.entities) == (None, ())
        assert (version.draft.signature.inputs[0].feature, version.draft.lineage.data.definitions) == ("", ())
        (move,) = await reader.alias_moves("m", "champion")
        assert (move.from_version, move.to_version, move.rollback) == (0, 1, False)
        endpoint = await reader.endpoint("late")
        assert endpoint is not None
        assert (endpoint.routes[0].shadow, endpoint.rollout) == (False, None)
