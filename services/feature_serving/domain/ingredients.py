"""A view as a training set needs it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import zip_longest

from services.feature_serving.domain.recipe import Ingredient, Substitute, Typed, Windowed
from services.feature_serving.domain.training_errors import ViewWithoutSource
from services.feature_serving.domain.view import FeatureView

_MICROSECOND = timedelta(microseconds=1)


def ingredient(view: FeatureView, features: Sequence[str]) -> Ingredient:
    """The view with those of its features, its source not yet looked at. Raises ViewWithoutSource."""
    definition = view.definition
    if (source := definition.source) is None:
        raise ViewWithoutSource(view.name)
    types = {one.name: one.type for one in definition.features}
    fallbacks = {one.name: one.fallback for one in definition.features}
    windows = {one.feature: one for one in definition.aggregations}
    return Ingredient(
        view=view.name,
        revision=view.revision,
        entities=tuple(
            Typed(name, kind or "")
            for name, kind in zip_longest(definition.entities, (one.value for one in definition.entity_types))
        ),
        features=tuple(Typed(name, types[name].value) for name in features),
        max_age_us=None if definition.max_age is None else definition.max_age // _MICROSECOND,
        path=source.path,
        event_time_column=source.event_time_column,
        created_time_column=source.created_time_column,
        digest="",
        windows=tuple(
            Windowed(name, one.column, one.function.value, one.window // _MICROSECOND)
            for name in features
            if (one := windows.get(name)) is not None
        ),
        hop_us=0 if definition.hop is None else definition.hop // _MICROSECOND,
        fallbacks=tuple(
            Substitute(name, fallback.value, tuple(sorted(status.name for status in fallback.replaces)))
            for name in features
            if (fallback := fallbacks[name]) is not None
        ),
    )
