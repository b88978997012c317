"""What a folder of revisions comes to, read without Alembic: most starts find nothing to apply."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NAMES = frozenset({"revision", "down_revision"})


def head(folder: Path) -> str:
    """The revision that no other one follows, of ``folder``'s ``versions/*.py``.

    Raises LookupError when there is none, or when several are, and names the files' folder.
    """
    stated = [_stated(file) for file in sorted((folder / "versions").glob("[!_]*.py"))]
    followed = {one for names in stated for one in _several(names.get("down_revision"))}
    heads = sorted({str(names["revision"]) for names in stated if "revision" in names} - followed)
    if not heads:
        raise LookupError(f"{folder} has no versions; add versions/0001_<what>.py")
    if len(heads) > 1:
        raise LookupError(f"{folder} has several heads: {', '.join(heads)}; let each follow the one before it")
    return heads[0]


def _stated(file: Path) -> Mapping[str, Any]:
    """The revision's own name and the one before it, as the file's first level assigns them."""
    found: dict[str, Any] = {}
    for node in ast.parse(file.read_bytes(), str(file)).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name in _NAMES:
                found[name] = ast.literal_eval(value)
    return found


def _several(follows: Any) -> tuple[str, ...]:
    if follows is None:
        return ()
    return (follows,) if isinstance(follows, str) else tuple(follows)
