from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = "import sys, services.{service}.main; sys.exit('numpy' in sys.modules)"


@pytest.mark.parametrize("service", ["registry", "training_scheduler"])
def test_what_has_no_arrays_starts_without_numpy(service: str) -> None:
    """Its image has none, and it would be a quarter of its start."""
    assert subprocess.run([sys.executable, "-c", _SCRIPT.format(service=service)], check=False).returncode == 0
