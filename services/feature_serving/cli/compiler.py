"""Compiles a Feast repository in a process of its own: Feast brings hundreds of megabytes, and belongs in no other."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from services.feature_serving.cli.definitions import BadDefinitions
from slipway.errors import FieldViolation, SlipwayError, Unavailable

_COMPILER = "slipway.feast_definitions"
_REFUSED = 2
# Feast counts uses unless told not to, and Feast's warnings about itself are none of the author's business.
_QUIET = {"FEAST_USAGE": "False", "FEAST_TELEMETRY": "False", "PYTHONWARNINGS": "ignore"}
_LAST_LINES = 8


class CompilerFailed(SlipwayError):
    """The compiler ended without an answer."""

    reason = "COMPILER_FAILED"


def compile_repository(repository: Path, *, progress: Callable[[str], None]) -> str:
    """The repository's definitions, as the JSON that ``definitions.parse`` takes.

    Raises BadDefinitions for what the catalogue can't say, Unavailable where Feast is not installed, CompilerFailed
    when Feast itself breaks.
    """
    if importlib.util.find_spec("feast") is None:
        raise Unavailable("Feast is not installed here; install slipway with its 'definitions' extra")
    progress(f"Compiling {repository} with Feast, which takes some 8 seconds to import ...")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="slipway-definitions-") as folder:
        output = Path(folder) / "definitions.json"
        done = subprocess.run(
            [sys.executable, "-m", _COMPILER, str(repository), str(output)],
            env=os.environ | _QUIET,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        text = output.read_text(encoding="utf-8") if output.exists() else ""
    if done.returncode == _REFUSED and text:
        raise _refused(repository, text)
    if done.returncode or not text:
        raise CompilerFailed(_told(repository, done))
    progress(f"Compiled in {time.monotonic() - started:.1f} s.")
    return text


def _refused(repository: Path, text: str) -> BadDefinitions:
    wrong = [FieldViolation(one["field"], one["description"]) for one in json.loads(text)["refusals"]]
    told = "; ".join(f"{one.field}: {one.description}" for one in wrong)
    return BadDefinitions(f"{repository}: {told}", violations=wrong)


def _told(repository: Path, done: subprocess.CompletedProcess[bytes]) -> str:
    last = done.stdout.decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
    return f"the compiler ended with status {done.returncode} on {repository}; its last words:\n" + "\n".join(last)
