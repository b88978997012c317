from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.artifacts import ArtifactStore, FileArtifacts
from slipway.artifacts.memory import MemoryArtifacts


@dataclass(frozen=True)
class Subject:
    """A store under test, how to damage an artifact behind its back, and what it has staged and kept."""

    store: ArtifactStore
    damage: Callable[[str], None]
    staged: Callable[[], int]
    kept: Callable[[], int]


def _memory(_: Path) -> Subject:
    store = MemoryArtifacts()

    def damage(digest: str) -> None:
        key = digest.removeprefix("sha256:")
        data = store._stored[key]
        store._stored[key] = bytes([data[0] ^ 1]) + data[1:]

    return Subject(store, damage, lambda: 0, lambda: len(store._stored))


def _file(folder: Path) -> Subject:
    root = folder / "artifacts"

    def damage(digest: str) -> None:
        key = digest.removeprefix("sha256:")
        path = root / "sha256" / key[:2] / key
        data = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])

    return Subject(
        FileArtifacts(root),
        damage,
        lambda: len(list((root / "staging").iterdir())),
        lambda: len(list((root / "sha256").glob("*/*"))),
    )


@pytest.fixture(params=[_memory, _file], ids=["memory", "file"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    return request.param(tmp_path)  # type: ignore[no-any-return]
