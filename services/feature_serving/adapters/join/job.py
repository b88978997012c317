"""What the process is given, and how it says that the inputs make no training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.feature_serving.domain.recipe import Recipe, from_document


class Unusable(Exception):
    """The inputs make no training set; the text says what to mend, and reaches the caller."""


@dataclass(frozen=True, slots=True)
class Job:
    """One training set to make; ``sources`` is the folder that relative paths of sources start from."""

    recipe: Recipe
    spine: Path
    output: Path
    sources: Path
    spill: Path
    threads: int
    memory_mib: int

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Job:
        """The job as :meth:`document` told it."""
        spine, output, sources, spill = (Path(document[one]) for one in ("spine", "output", "sources", "spill"))
        return cls(from_document(document["recipe"]), spine, output, sources, spill, **document["limits"])
