"""Feature services: the values, and what one must be like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.feature_serving.domain.errors import FeatureNotFound, FeatureViewNotFound
from services.feature_serving.domain.rules import MAX_FEATURES, long_text, repeated
from services.feature_serving.domain.view import Feature, FeatureView
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import identifier

MAX_SERVICES = 500


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A feature by its full name."""

    view: str
    feature: str

    def __str__(self) -> str:
        return f"{self.view}:{self.feature}"


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """What a person says a feature service is."""

    name: str
    owner: str
    description: str
    features: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class FeatureService:
    """A stored feature service; ``revision`` counts its changes from 1."""

    definition: ServiceDefinition
    revision: int
    update_time: datetime

    @property
    def name(self) -> str:
        """The feature service's name."""
        return self.definition.name


def reference(field: str, text: str) -> Reference:
    """``view:feature``. Raises InvalidInput about ``field``."""
    view, separator, feature = text.partition(":")
    if not separator:
        raise invalid_field(field, f"{text[:80]!r} names no feature of a view; write view:feature")
    return Reference(identifier(field, view), identifier(field, feature))


def check_references(path: str, references: Sequence[Reference]) -> None:
    """Raise InvalidInput naming the field unless there are 1 to 1000, none twice."""
    if not 1 <= len(references) <= MAX_FEATURES:
        raise invalid_field(path, f"has {len(references)} entries; give 1 to {MAX_FEATURES}")
    for wrong in repeated(path, [str(one) for one in references], suffix=""):
        raise invalid_field(wrong.field, wrong.description)


def check_services(definitions: Sequence[ServiceDefinition]) -> None:
    """Raise InvalidInput naming the fields unless all of ``definitions`` can be stored together."""
    if not 1 <= len(definitions) <= MAX_SERVICES:
        raise invalid_field("services", f"has {len(definitions)} entries; give 1 to {MAX_SERVICES}")
    wrong = [one for n, definition in enumerate(definitions) for one in _faults(f"services[{n}]", definition)]
    wrong += repeated("services", [definition.name for definition in definitions])
    if wrong:
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)


def _faults(field: str, service: ServiceDefinition) -> Iterator[FieldViolation]:
    identifier(f"{field}.name", service.name)
    if not service.owner.strip():
        yield FieldViolation(f"{field}.owner", "is empty; name the person or team that answers for it")
    yield from long_text(f"{field}.owner", service.owner)
    yield from long_text(f"{field}.description", service.description)
    check_references(f"{field}.features", service.features)


def resolve(path: str, references: Sequence[Reference], views: Mapping[str, FeatureView]) -> list[Feature]:
    """The features that are meant. Raises FeatureViewNotFound or FeatureNotFound naming the entry of ``path``."""
    known = {name: {one.name: one for one in view.definition.features} for name, view in views.items()}
    found: list[Feature] = []
    for position, one in enumerate(references):
        field = f"{path}[{position}]"
        if one.view not in known:
            raise FeatureViewNotFound(one.view, field)
        if one.feature not in known[one.view]:
            raise FeatureNotFound(one.view, one.feature, field)
        found.append(known[one.view][one.feature])
    return found


def changed_service(stored: FeatureService | None, wanted: ServiceDefinition, now: datetime) -> FeatureService:
    """The feature service after ``wanted`` is applied; ``stored`` itself when that is the same."""
    if stored is None:
        return FeatureService(wanted, 1, now)
    return stored if stored.definition == wanted else FeatureService(wanted, stored.revision + 1, now)
