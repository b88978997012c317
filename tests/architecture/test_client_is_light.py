from __future__ import annotations

import subprocess
import sys

import pytest

_FOREIGN = (
    "alembic",
    "numpy",
    "onnxruntime",
    "opentelemetry.sdk",
    "pandas",
    "ray",
    "rich",
    "services",
    "slipway.gen.inference",
    "sqlalchemy",
)
"""What a user of the client need not load: import-linter can not name a part of a foreign package."""

_SCRIPT = """
import sys
from slipway.client import {name}
{name}
loaded = [name for name in {foreign!r} if name in sys.modules]
sys.exit(", ".join(loaded) or 0)
"""


@pytest.mark.parametrize("name", ["Slipway", "AsyncSlipway"])
def test_importing_the_client_loads_nothing_of_a_servers(name: str) -> None:
    script = _SCRIPT.format(name=name, foreign=_FOREIGN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"slipway.client imports {done.stderr}"
