"""Trees of generated files: held in memory, written to the checkout, or compared with what lies there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout's root."""

Tree = Mapping[str, str]
"""File texts by path, relative to the root, with forward slashes."""


def write(tree: Tree, root: Path, folders: list[str]) -> list[str]:
    """Make ``folders`` under ``root`` hold exactly ``tree``; return the paths that changed, sorted.

    Files that already hold the right text keep their time stamps.
    """
    changed = differences(tree, root, folders)
    for path in changed:
        target = root / path
        if path in tree:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(tree[path])
        else:
            target.unlink()
    for folder in folders:
        _drop_empty(root / folder)
    return changed


def differences(tree: Tree, root: Path, folders: list[str]) -> list[str]:
    """Return the paths that are missing, stale or different under ``folders``, sorted."""
    there = {path.relative_to(root).as_posix() for folder in folders for path in _files(root / folder)}
    stale = there - tree.keys()
    wrong = {path for path, text in tree.items() if path not in there or (root / path).read_text() != text}
    return sorted(stale | wrong)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def _drop_empty(folder: Path) -> None:
    """Remove folders with no source left: a stale ``__pycache__`` would keep a package importable."""
    for child in sorted(folder.rglob("*"), reverse=True):
        if child.is_dir() and child.name != "__pycache__" and not _files(child):
            for leftover in sorted(child.rglob("*"), reverse=True):
                leftover.rmdir() if leftover.is_dir() else leftover.unlink()
            child.rmdir()
