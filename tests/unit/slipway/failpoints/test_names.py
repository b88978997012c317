"""Each declared name stands in the code, and no other; before and after come in pairs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import services
import slipway
from slipway.failpoints import NAMES

ROOTS = [Path(package.__path__[0]) for package in (slipway, services)]


def hits(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"hit", "hit_async"}:
            (name,) = node.args
            # A name that is put together would escape this test and the type checker.
            assert isinstance(name, ast.Constant)
            assert isinstance(name.value, str)
            yield name.value


def test_every_name_is_hit_and_every_hit_has_a_name() -> None:
    found: set[str] = set()
    for root in ROOTS:
        for path in root.rglob("*.py"):
            if "failpoints" in (text := path.read_text(encoding="utf-8")) and path.parent.name != "failpoints":
                found |= set(hits(text))
    assert found == set(NAMES)


def test_names_come_in_pairs_and_once() -> None:
    assert len(set(NAMES)) == len(NAMES)
    steps = [name.rpartition(".") for name in NAMES]
    assert [(step, last) for step, _, last in steps] == [
        (step, last) for step in dict.fromkeys(step for step, _, _ in steps) for last in ("before", "after")
    ]


def test_the_guide_tells_of_every_step() -> None:
    guide = (Path(__file__).parents[4] / "docs/guides/faults.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \|", guide, re.MULTILINE)
    assert sorted(told) == sorted({name.rpartition(".")[0] for name in NAMES})
