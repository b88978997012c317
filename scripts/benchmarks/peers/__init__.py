"""Python servers that others wrote, each in an environment of its own, fetched on its first use."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import onnxruntime

from scripts.benchmarks.generator import cache

_HERE = Path(__file__).parent
_PINS = {"mlserver": "mlserver==1.7.1", "kserve": "kserve==0.21.0"}
NAMES = tuple(_PINS)


class NotInstallable(Exception):
    """A peer's packages can't be had here; the message says why."""


def environment(name: str) -> Path:
    """The peer's interpreter; its packages are installed where they are missing. Raises NotInstallable.

    ONNX Runtime is the version that this platform runs.
    """
    wanted = [_PINS[name], f"onnxruntime=={onnxruntime.__version__}"]
    place = cache() / "peers" / f"{name}-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:8]}"
    python, done = place / "bin" / "python", place / "installed"
    if not done.exists():
        uv = shutil.which("uv") or shutil.which(".venv/tools/uv/bin/uv")
        if uv is None:
            raise NotInstallable("needs uv on PATH, or where scripts/setup puts it")
        print(f"bench: installing {' '.join(wanted)}, once; this takes a minute or two", file=sys.stderr)
        _run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(place)])
        _run([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *wanted])
        done.touch()
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstallable(done.stderr.strip()[-1000:] or f"{command[0]} failed")


def command(name: str, models: Path, port: int, spare_ports: tuple[int, int]) -> list[str]:
    """What serves the ONNX files of a folder over gRPC at ``port``. Raises NotInstallable."""
    return [str(environment(name)), str(_HERE / f"{name}_server.py"), str(models), str(port), *map(str, spare_ports)]


def variables() -> dict[str, str]:
    """Their environment variables: ours, without what points Python at our packages."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
