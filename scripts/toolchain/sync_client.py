"""The synchronous client, derived from the asynchronous one token by token."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import unasync

from scripts.toolchain.tree import Tree

FOLDER = "libs/slipway/client/_sync"
_SOURCE = "libs/slipway/client/_async"

REPLACEMENTS = {
    "_async": "_sync",
    "AsyncSlipway": "Slipway",
    "AsyncStub": "Stub",
    "AsyncStream": "Stream",
    "AsyncChannel": "Channel",
    "open_async_channel": "open_channel",
    "async_pause": "pause",
    "async_read": "read",
    "aclose": "close",
}
"""Names that differ between the two clients, beside ``async``, ``await`` and the dunder methods."""


def generate(root: Path) -> Tree:
    """Return the synchronous twin of every module of the asynchronous client; empty when there is none."""
    sources = sorted((root / _SOURCE).rglob("*.py"))
    if not sources:
        return {}
    with tempfile.TemporaryDirectory() as scratch:
        rule = unasync.Rule(str(root / _SOURCE), scratch, additional_replacements=REPLACEMENTS)
        unasync.unasync_files([str(source) for source in sources], [rule])
        for path in Path(scratch).rglob("*.py"):
            source = f"{_SOURCE}/{path.relative_to(scratch).as_posix()}"
            path.write_text(f"# Generated from {source} by scripts/generate; do not edit.\n{path.read_text()}")
        _tidy(root, Path(scratch))
        return {
            f"{FOLDER}/{path.relative_to(scratch).as_posix()}": path.read_text()
            for path in sorted(Path(scratch).rglob("*.py"))
        }


def _tidy(root: Path, folder: Path) -> None:
    """Sort imports and format: shorter names let lines close up."""
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--quiet", "--no-cache", "--config", str(root / "pyproject.toml")]
    subprocess.run([*ruff, "check", *config, "--select", "I", "--fix", str(folder)], check=True)
    subprocess.run([*ruff, "format", *config, str(folder)], check=True)
