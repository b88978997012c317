from __future__ import annotations

from pathlib import Path

import pytest

from slipway.config import checkout_root, data_root


def test_the_data_root_is_the_variable_s_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLIPWAY_DATA", "some/where")
    assert data_root() == tmp_path / "some" / "where"


@pytest.mark.parametrize("value", [None, ""])
def test_without_it_the_data_lie_beside_the_checkout(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("SLIPWAY_DATA", raising=False)
    if value is not None:
        monkeypatch.setenv("SLIPWAY_DATA", value)
    root = checkout_root()
    assert root is not None
    assert (root / "pyproject.toml").is_file()
    assert data_root() == root / ".slipway"
