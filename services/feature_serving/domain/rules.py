"""What a view must be like, and which changes are allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from services.feature_serving.domain.errors import AggregationChanged, EntitiesChanged, FeatureTypeChanged
from services.feature_serving.domain.fallback import MAX_TEXT, fallback_faults
from services.feature_serving.domain.making import making_faults
from services.feature_serving.domain.view import Aggregation, Definition, FeatureView
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import identifier

MAX_VIEWS = 500
MAX_ENTITIES = 32
MAX_FEATURES = 1_000
MAX_AGE = timedelta(days=3_650_000)


def check_definitions(definitions: Sequence[Definition]) -> None:
    """Raise InvalidInput naming the fields unless all of ``definitions`` can be stored together."""
    if not 1 <= len(definitions) <= MAX_VIEWS:
        raise invalid_field("views", f"has {len(definitions)} entries; give 1 to {MAX_VIEWS}")
    wrong: list[FieldViolation] = []
    for position, definition in enumerate(definitions):
        wrong += _faults(f"views[{position}]", definition)
    names = [definition.name for definition in definitions]
    wrong += repeated("views", names)
    if wrong:
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)


def changed(stored: FeatureView | None, wanted: Definition, now: datetime) -> FeatureView:
    """The view after ``wanted`` is applied; ``stored`` itself when that is the same.

    Raises FeatureTypeChanged, EntitiesChanged, AggregationChanged.
    """
    if stored is None:
        return FeatureView(wanted, 1, now)
    before = stored.definition
    if before == wanted:
        return stored
    if set(before.entities) != set(wanted.entities):
        raise EntitiesChanged(wanted.name, before.entities, wanted.entities)
    types = {feature.name: feature.type for feature in before.features}
    for feature in wanted.features:
        was = types.get(feature.name, feature.type)
        if was != feature.type:
            raise FeatureTypeChanged(wanted.name, feature.name, was, feature.type)
    _check_making(before, wanted)
    return FeatureView(wanted, stored.revision + 1, now)


def _check_making(before: Definition, wanted: Definition) -> None:
    """Raise AggregationChanged when what a stored feature is made of would change."""
    if before.hop != wanted.hop:
        raise AggregationChanged(wanted.name, "hop", _told(before.hop), _told(wanted.hop))
    making = {one.feature: one for one in wanted.aggregations}
    kept = {feature.name for feature in wanted.features}
    for one in before.aggregations:
        if one.feature in kept and making.get(one.feature) != one:
            raise AggregationChanged(wanted.name, one.feature, _made(one), _made(making.get(one.feature)))


def _told(span: timedelta | None) -> str:
    return "none" if span is None else f"{span.total_seconds():g} s"


def _made(one: Aggregation | None) -> str:
    return "none" if one is None else f"{one.function}({one.column}) over {_told(one.window)}"


def dropped(stored: FeatureView | None, wanted: Definition) -> Sequence[str]:
    """The features that the view would lose."""
    kept = {feature.name for feature in wanted.features}
    return [one.name for one in stored.definition.features if one.name not in kept] if stored else []


def _faults(field: str, view: Definition) -> Iterator[FieldViolation]:
    identifier(f"{field}.name", view.name)
    if not view.owner.strip():
        yield FieldViolation(f"{field}.owner", "is empty; name the person or team that answers for the view")
    yield from long_text(f"{field}.owner", view.owner)
    yield from long_text(f"{field}.description", view.description)
    if view.max_age is not None and not timedelta(0) < view.max_age <= MAX_AGE:
        yield FieldViolation(f"{field}.max_age", "is not above 0 and under 10,000 years; leave it out for any age")
    yield from _named(f"{field}.entities", view.entities, MAX_ENTITIES)
    names = [feature.name for feature in view.features]
    yield from _named(f"{field}.features", names, MAX_FEATURES, suffix=".name")
    for position, feature in enumerate(view.features):
        yield from long_text(f"{field}.features[{position}].description", feature.description)
        if feature.name in view.entities:
            yield FieldViolation(f"{field}.features[{position}].name", "is an entity of the view; choose another name")
        yield from fallback_faults(f"{field}.features[{position}]", feature)
    yield from making_faults(field, view)


def _named(path: str, names: Sequence[str], most: int, *, suffix: str = "") -> Iterator[FieldViolation]:
    if not 1 <= len(names) <= most:
        yield FieldViolation(path, f"has {len(names)} entries; give 1 to {most}")
    for position, name in enumerate(names):
        identifier(f"{path}[{position}]{suffix}", name)
    yield from repeated(path, names, suffix=suffix)


def repeated(path: str, names: Sequence[str], *, suffix: str = ".name") -> Iterator[FieldViolation]:
    """A violation for each of ``names`` that stood before."""
    seen: set[str] = set()
    for position, name in enumerate(names):
        if name in seen:
            yield FieldViolation(f"{path}[{position}]{suffix}", f"{name!r} stands twice; names must differ")
        seen.add(name)


def long_text(field: str, text: str) -> Iterator[FieldViolation]:
    """A violation when ``text`` is too long to keep."""
    if len(text) > MAX_TEXT:
        yield FieldViolation(field, f"has {len(text)} characters; at most {MAX_TEXT} are kept")
