from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.toolchain.tree import ROOT

Lint = Callable[[dict[str, str]], str]

_ROOMS = ["api/__init__", "adapters/__init__", "domain/__init__", "engine/__init__"]
_HALL = ["__init__", "cli", "main", "config", "ports", "codec"]


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    """Runs the house's contracts over two small services, some of whose modules are given; returns the report."""
    # import-linter wants every module of ours that a contract names.
    for name in set(re.findall(r"^ +(slipway\.[a-z_.]+)$", (ROOT / ".importlinter").read_text(), re.MULTILINE)):
        folder = tmp_path / "libs" / name.replace(".", "/")
        folder.mkdir(parents=True, exist_ok=True)
        for package in (folder, folder.parent):
            (package / "__init__.py").touch()
    (tmp_path / "libs/slipway/sql/database.py").write_text("import sqlalchemy\n")
    for service in ("alpha", "beta"):
        for module in (*_HALL, *_ROOMS):
            path = tmp_path / "services" / service / f"{module}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (tmp_path / "services/__init__.py").touch()
    shutil.copy(ROOT / ".importlinter", tmp_path)

    def run(modules: dict[str, str]) -> str:
        for path, text in modules.items():
            (tmp_path / path).write_text(text)
        command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
        paths = os.pathsep.join([str(tmp_path / "libs"), str(tmp_path)])
        environment = {**os.environ, "PYTHONPATH": paths}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        return done.stdout

    return run


def test_services_that_keep_the_rules_pass(lint: Lint) -> None:
    report = lint(
        {
            "services/alpha/cli.py": "from services.alpha import config, main\n",
            "services/alpha/main.py": "from services.alpha import adapters, api, config, engine\n",
            "services/alpha/api/__init__.py": "import grpc\nfrom services.alpha import codec, engine\n",
            "services/alpha/codec.py": "import slipway.gen\nfrom services.alpha import domain\n",
            "services/alpha/adapters/__init__.py": "import slipway.sql.database\nfrom services.alpha import ports\n",
            "services/alpha/engine/__init__.py": "import asyncio\nfrom services.alpha import domain, ports\n",
            "services/alpha/ports.py": "from services.alpha import domain\n",
        }
    )
    assert " 0 broken" in report


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("alpha/domain/__init__.py", "from services.alpha import engine", "alpha.domain is not allowed to import"),
        ("alpha/engine/__init__.py", "from services.alpha import codec", "alpha.engine is not allowed to import"),
        ("alpha/codec.py", "from services.alpha import engine", "alpha.codec is not allowed to import"),
        ("alpha/api/__init__.py", "from services.alpha import adapters", "alpha.api is not allowed to import"),
        ("alpha/adapters/__init__.py", "from services.alpha import main", "adapters is not allowed to import"),
        ("alpha/api/__init__.py", "from services.beta import api", "services.alpha is not allowed to import"),
        ("alpha/stray.py", "", "services.alpha.stray"),
        ("alpha/api/__init__.py", "from services.alpha import config", "alpha.api is not allowed to import"),
        ("alpha/config.py", "from services.alpha import domain", "alpha.config is not allowed to import"),
        ("alpha/engine/__init__.py", "import slipway.gen", "alpha.engine is not allowed to import slipway.gen"),
        ("alpha/ports.py", "import grpc", "alpha.ports is not allowed to import grpc"),
        ("alpha/domain/__init__.py", "import google.protobuf", "alpha.domain is not allowed to import google"),
        ("alpha/engine/__init__.py", "import slipway.sql.database", "alpha.engine is not allowed to import sqlalchemy"),
        ("alpha/domain/__init__.py", "import asyncio", "alpha.domain is not allowed to import asyncio"),
        (
            "../libs/slipway/client/__init__.py",
            "import slipway.gen.inference",
            "slipway.client is not allowed to import",
        ),
        ("alpha/cli.py", "import feast", "services is not allowed to import feast"),
        ("../libs/slipway/__init__.py", "import services.alpha", "slipway is not allowed to import services"),
    ],
)
def test_each_rule_is_enforced(lint: Lint, path: str, text: str, told: str) -> None:
    report = lint({f"services/{path}": f"{text}\n"})
    assert told in " ".join(report.split())
