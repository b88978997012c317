"""buf, fetched once into the venv's folder, and the committed image that contracts are held against."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from scripts.toolchain.tree import ROOT

VERSION = "1.75.0"
IMAGE = "protos/image.binpb"
_FOLDER = Path(".venv/tools/buf") / VERSION
_BINARY = ROOT / _FOLDER / "node_modules/.bin/buf"


class BufMissing(Exception):
    """buf is not there and could not be fetched; the message says what to install."""


def fetched() -> bool:
    """Return whether the pinned buf is here already."""
    return _BINARY.exists()


def binary() -> Path:
    """Return the path of the pinned buf, fetching it the first time; raises ``BufMissing``."""
    if fetched():
        return _BINARY
    npm = shutil.which("npm")
    if npm is None:
        raise BufMissing("buf is fetched by npm, which is not on PATH: install Node.js (Debian: nodejs, npm)")
    quiet = ["--no-package-lock", "--no-save", "--no-audit", "--no-fund", "--silent"]
    fetch = [npm, "install", "--prefix", str(ROOT / _FOLDER), *quiet, f"@bufbuild/buf@{VERSION}"]
    done = subprocess.run(fetch, cwd=ROOT, check=False)
    if done.returncode != 0 or not fetched():
        raise BufMissing(f"npm could not fetch @bufbuild/buf@{VERSION}: see above; it is safe to run this again")
    return _BINARY


def accept() -> None:
    """Make the contracts as they are now the ones that later changes must not break."""
    # Without source info the image holds the contracts alone: a reworded comment does not change it.
    build = [str(binary()), "build", "--exclude-source-info", "-o", IMAGE]
    subprocess.run(build, cwd=ROOT, check=True)
