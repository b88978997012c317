"""What no committed file may hold: package registries' hosts, and paths of somebody's machine."""

from __future__ import annotations

import re
import subprocess
import sys

from scripts.toolchain.tree import ROOT

# Broken up, so that this file does not hold what it looks for.
_HOSTS = [
    "registry.npm" + "js",
    "files.python" + "hosted",
    "py" + r"pi\.org/simple",
    "/arti" + "factory/",
    r"/api/py" + "pi/",
]
_FOLDERS = "|".join(["home", "Users", "ro" + "ot", "wo" + "rk", "t" + "mp"])

_RULES = {
    "names a package registry's host; say the package's name alone": re.compile("|".join(_HOSTS)),
    "names a path of one machine; make it relative, or read it from the environment": re.compile(
        rf"(?<![\w.~}}$-])/(?:{_FOLDERS})/[\w.-]+"
    ),
}


def findings() -> list[str]:
    """Return ``path:line: what is wrong`` for every tracked text file, in order."""
    return [finding for path in _tracked() for finding in _read(path)]


def _tracked() -> list[str]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in listing.stdout.split("\0") if path and (ROOT / path).is_file()]


def _read(path: str) -> list[str]:
    try:
        lines = (ROOT / path).read_text().splitlines()
    except UnicodeDecodeError:
        return []
    return [f"{path}:{number}: {wrong}" for number, line in enumerate(lines, start=1) for wrong in wrongs(line)]


def wrongs(line: str) -> list[str]:
    """Return what is wrong with one line of text; empty when nothing is."""
    return [wrong for wrong, pattern in _RULES.items() if pattern.search(line)]


if __name__ == "__main__":
    found = findings()
    print("\n".join(found))
    sys.exit(bool(found))
