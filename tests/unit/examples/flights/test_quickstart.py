from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from examples.flights.quickstart import quickstart


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--json", "no/such/folder/x.json"], "--json"),
        (["--every", "0"], "--every"),
        (["--every", "many"], "--every"),
        (["flights"], "unexpected extra argument"),
    ],
)
def test_wrong_input_is_told_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLIPWAY_DATA", str(tmp_path / "data"))
    ended = CliRunner().invoke(quickstart, arguments)
    assert ended.exit_code == 2
    assert told in ended.stderr
    assert not (tmp_path / "data").exists()


def test_errors_are_json_where_figures_are_asked_for(tmp_path: Path) -> None:
    ended = CliRunner().invoke(quickstart, ["--json", str(tmp_path / "none" / "x.json")])
    assert json.loads(ended.stderr)["error"]["violations"][0]["field"] == "--json"
