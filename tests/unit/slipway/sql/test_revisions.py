from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from slipway.sql import Migrations, file_url, migrate
from slipway.sql.revisions import head

REGISTRY = Migrations("services.registry.adapters.migrations")


def written(folder: Path, *follows: str | None) -> Path:
    """A folder of revisions 0001, 0002, ...; each text is the literal that it says it follows."""
    (folder / "versions").mkdir()
    for number, text in enumerate(follows, 1):
        body = f'"""Docs."""\nrevision: str = "{number:04}"\ndown_revision = {text}\ndef upgrade(): raise SystemExit\n'
        (folder / "versions" / f"{number:04}_some.py").write_text(body, encoding="utf-8")
    return folder


def test_the_head_is_what_no_other_revision_follows_and_nothing_is_run(tmp_path: Path) -> None:
    assert head(written(tmp_path, None, '"0001"', '("0002",)')) == "0003"


def test_no_revision_and_two_heads_are_told(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(LookupError, match="add versions"):
        head(written(tmp_path / "none"))
    (tmp_path / "two").mkdir()
    with pytest.raises(LookupError, match="0002, 0003"):
        head(written(tmp_path / "two", None, '"0001"', '"0001"'))


_START = """
import asyncio, sys
from slipway.sql import Database, Migrations, migrate
wanted = Migrations("services.registry.adapters.migrations")

async def start():
    async with Database.open(sys.argv[1], wanted):
        pass

migrate(sys.argv[1], wanted)
asyncio.run(start())
print(*(name for name in ("alembic", "sqlalchemy.dialects.postgresql") if name in sys.modules))
"""


def test_a_start_with_nothing_to_apply_loads_no_alembic(tmp_path: Path) -> None:
    url = file_url(tmp_path / "registry.db")
    migrate(url, REGISTRY)
    told = subprocess.run([sys.executable, "-c", _START, url], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []
