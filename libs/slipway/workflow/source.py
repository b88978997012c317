"""The digest of a workflow's source: what lineage names when it says which code made a model."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any


def code_digest(functions: Iterable[Callable[..., Any]]) -> str:
    """``sha256:`` of the sorted source files of the functions' modules and of what those take from their packages."""
    found: dict[str, ModuleType] = {}
    bare: list[str] = []
    for function in functions:
        module = sys.modules.get(function.__module__)
        if module is None or not getattr(module, "__file__", None):
            bare.append(inspect.getsource(function))  # in a notebook, the cell is all there is
        else:
            _gather(module, found)
    parts = [hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest() for module in found.values()]
    parts += [hashlib.sha256(text.encode()).hexdigest() for text in bare]
    return f"sha256:{hashlib.sha256(' '.join(sorted(parts)).encode()).hexdigest()}"


def _gather(module: ModuleType, found: dict[str, ModuleType]) -> None:
    if module.__name__ in found:
        return
    found[module.__name__] = module
    package = module.__name__.rpartition(".")[0]
    if not package:
        return
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        used = sys.modules.get(name) if isinstance(name, str) and name.startswith(f"{package}.") else None
        if used is not None and getattr(used, "__file__", None):
            _gather(used, found)
