from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from slipway.sql import Migrations

MakeMigrations = Callable[..., Migrations]

_REVISION = """
from alembic import op

revision = "{revision}"
down_revision = {down}


def upgrade() -> None:
    {body}
"""


@pytest.fixture
def make_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeMigrations:
    """Writes a package of revisions, one for each body given, and makes it importable."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, *bodies: str) -> Migrations:
        sys.modules.pop(name, None)
        versions = tmp_path / name / "versions"
        versions.mkdir(parents=True, exist_ok=True)
        (tmp_path / name / "__init__.py").touch()
        for number, body in enumerate(bodies, start=1):
            down = f'"{number - 1:04}"' if number > 1 else "None"
            source = _REVISION.format(revision=f"{number:04}", down=down, body=body)
            (versions / f"{number:04}_step.py").write_text(source)
        return Migrations(name, command="slipway-registry migrate")

    return make


@pytest.fixture
def url(make_database: Callable[..., str]) -> str:
    """An empty database of its own; child processes open it by the same URL."""
    return make_database()
