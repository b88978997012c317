from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from slipway.workflow.source import code_digest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "pkg_of_steps"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "fitting.py").write_text("def fit() -> int:\n    return 1\n")
    (folder / "aside.py").write_text("x = 1\n")
    (folder / "steps.py").write_text(
        "from pkg_of_steps.fitting import fit\n\n\ndef train() -> int:\n    return fit()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def digest_now() -> str:
    for name in [name for name in sys.modules if name.startswith("pkg_of_steps")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    return code_digest([importlib.import_module("pkg_of_steps.steps").train])


def test_follows_what_the_steps_take_from_their_package_and_nothing_else(package: Path) -> None:
    before = digest_now()
    assert digest_now() == before
    (package / "aside.py").write_text("x = 2\n")
    assert digest_now() == before
    (package / "fitting.py").write_text("def fit() -> int:\n    return 2\n\n\n")
    assert digest_now() != before


def test_is_the_same_wherever_the_files_lie(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest_now()
    (tmp_path / "elsewhere").mkdir()
    package.rename(tmp_path / "elsewhere" / "pkg_of_steps")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert digest_now() == before
