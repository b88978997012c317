from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from scripts.toolchain import buf
from scripts.toolchain.tree import ROOT

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# Not the one that CONTRIBUTING.md adds: the checkout may have that by now.
NAME = "spare_specimen"
MYPY_CACHE = ".mypy_cache"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout's sources, without the other services, where one may be added."""
    target = tmp_path_factory.mktemp("copy") / "slipway"
    for folder in ("libs", "protos", "scripts", "deploy"):
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "services").mkdir()
    for file in ("services/__init__.py", "pyproject.toml", "Tiltfile", "buf.yaml", ".importlinter"):
        shutil.copy(ROOT / file, target / file)
    copy_known_types(target)
    return target


def copy_known_types(target: Path) -> None:
    """What mypy knows of the checkout, if it ran there: then it reads the new service alone, and not all libraries."""
    for database in (ROOT / MYPY_CACHE).rglob("*.db"):
        place = target / database.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(place)) as copy:
            source.backup(copy)


@pytest.fixture(scope="module")
def run(copy: Path) -> Run:
    """Runs a Python module in the copy, whose packages come before the checkout's."""
    paths = os.pathsep.join([str(copy / "libs"), str(copy)])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": paths},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def made(copy: Path, run: Run) -> list[str]:
    """The paths of a new service's files."""
    done = run("scripts.toolchain.new_service", NAME)
    assert done.returncode == 0, done.stdout
    paths = [line for line in done.stdout.splitlines() if (copy / line).is_file() and "/gen/" not in line]
    assert f"services/{NAME}/main.py" in paths
    return paths


def test_the_skeleton_is_clean_and_typed(run: Run, made: list[str]) -> None:
    sources = [path for path in made if path.endswith(".py")]
    for command in (
        ["ruff", "check", "--no-cache", *sources],
        ["ruff", "format", "--no-cache", "--check", *sources],
        ["mypy", "--cache-dir", MYPY_CACHE, f"services/{NAME}"],
        ["scripts.toolchain.generate", "--check"],
    ):
        done = run(*command)
        assert done.returncode == 0, done.stdout


def test_the_skeleton_keeps_the_import_contracts(copy: Path, made: list[str]) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(copy / "libs"), str(copy)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_the_skeletons_own_test_and_the_tiltfiles_pass(copy: Path, run: Run, made: list[str]) -> None:
    shutil.copytree(ROOT / "tests/architecture", copy / "tests/architecture")
    done = run("pytest", "-p", "no:cacheprovider", f"tests/wire/test_{NAME}.py", "tests/architecture/test_tiltfile.py")
    assert done.returncode == 0, done.stdout


def test_the_skeletons_contract_is_clean_and_breaks_nothing(copy: Path, made: list[str]) -> None:
    if not buf.fetched():
        pytest.skip("buf is fetched by scripts/check, which has not run here")
    for command in (["lint"], ["breaking", "--against", buf.IMAGE]):
        done = subprocess.run([str(buf.binary()), *command], cwd=copy, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["Quota"], "NAME 'Quota'"),
        (["registry"], "protos/slipway/registry exists"),
        (["other", "--port", "8001"], "--port 8001"),
        (["other", "--port", "80"], "--port 80"),
    ],
)
def test_what_can_not_be_made_is_refused_with_the_reason(run: Run, arguments: list[str], told: str) -> None:
    done = run("scripts.toolchain.new_service", *arguments)
    assert done.returncode == 2
    assert told in done.stdout


def test_a_file_without_the_place_for_a_line_stops_everything(copy: Path, run: Run, made: list[str]) -> None:
    tiltfile = (copy / "Tiltfile").read_text()
    try:
        (copy / "Tiltfile").write_text("")
        done = run("scripts.toolchain.new_service", "other")
    finally:
        (copy / "Tiltfile").write_text(tiltfile)
    assert done.returncode == 2
    assert "Tiltfile: found no place for" in done.stdout
    assert not (copy / "services/other").exists()
