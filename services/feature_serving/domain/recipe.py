"""Everything that a training set is made from: the same recipe makes the same bytes.

Taken down when the set is asked for, so that a definition that changes later changes nothing. Plain values, for it
is stored, hashed and handed to the process that joins: see :func:`to_document`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Typed:
    """A name with the name of its type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Windowed:
    """One feature that is made of the events of a window; ``function`` by its name in the contract."""

    feature: str
    column: str
    function: str
    window_us: int


@dataclass(frozen=True, slots=True)
class Substitute:
    """What ``feature`` reads as where it has no value, in place of statuses by their names in the contract."""

    feature: str
    value: Any
    replaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One view as it was, with the features that are wanted and the digest of its source.

    ``digest`` is empty when there was no such source. An entity's type is empty when nobody said.
    """

    view: str
    revision: int
    entities: tuple[Typed, ...]
    features: tuple[Typed, ...]
    max_age_us: int | None
    path: str
    event_time_column: str
    created_time_column: str
    digest: str
    windows: tuple[Windowed, ...] = ()
    hop_us: int = 0
    fallbacks: tuple[Substitute, ...] = ()

    def of(self, digest: str) -> Ingredient:
        """The same, of a source with that digest."""
        return replace(self, digest=digest)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is asked for, of what, by which code; ``features`` as ``view:feature`` in the order of the columns."""

    spine_digest: str
    feature_service: str
    feature_service_revision: int
    features: tuple[str, ...]
    ingredients: tuple[Ingredient, ...]
    cutoff_us: int | None
    code: str


def to_document(recipe: Recipe) -> dict[str, Any]:
    """The recipe as JSON holds it."""
    return asdict(recipe)


def from_document(document: Mapping[str, Any]) -> Recipe:
    """The recipe again."""
    return Recipe(
        **{
            **document,
            "features": tuple(document["features"]),
            "ingredients": tuple(_ingredient(one) for one in document["ingredients"]),
        }
    )


def _ingredient(document: Mapping[str, Any]) -> Ingredient:
    return Ingredient(
        **{
            **document,
            "entities": tuple(Typed(**one) for one in document["entities"]),
            "features": tuple(Typed(**one) for one in document["features"]),
            "windows": tuple(Windowed(**one) for one in document["windows"]),
            # Recipes from before fallbacks name none.
            "fallbacks": tuple(_substitute(one) for one in document.get("fallbacks", ())),
        }
    )


def _substitute(document: Mapping[str, Any]) -> Substitute:
    return Substitute(document["feature"], document["value"], tuple(document["replaces"]))


def mark(recipe: Recipe) -> str:
    """What two recipes share exactly when they are the same."""
    return hashlib.sha256(json.dumps(to_document(recipe), sort_keys=True).encode()).hexdigest()


def column_name(feature: str) -> str:
    """The column of ``view:feature`` in a training set."""
    return feature.replace(":", "__", 1)
