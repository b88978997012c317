"""Reading features: what to look up for a selection, worked out once, and what the found bytes answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.feature_serving.domain import layout, wire
from services.feature_serving.domain.answer import AnswerColumn, Cell, fill
from services.feature_serving.domain.column import Column, check_column, entity_columns
from services.feature_serving.domain.rows import LATEST_US, MAX_ROWS, MAX_VALUES
from services.feature_serving.domain.service import Reference, resolve
from services.feature_serving.domain.view import FeatureView, ValueType
from slipway.errors import invalid_field

_MICROSECOND = timedelta(microseconds=1)
Found = Sequence[bytes | None]
"""The values of a lookup's fields for one key, in their order."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which features, of which entities, as of when; see the contract's GetOnlineFeaturesRequest."""

    service: str
    features: Sequence[Reference]
    entities: Sequence[Column]
    event_times_us: Sequence[int]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a feature's bytes will be: in the ``group``-th lookup, at the positions ``field`` and ``timestamp``."""

    name: str
    kind: ValueType
    max_age_us: int | None
    group: int
    field: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A selection, compiled. A group reads, for one set of entities, hash fields of all its views at once."""

    entities: tuple[str, ...]
    groups: tuple[tuple[tuple[str, ...], tuple[bytes, ...]], ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The ``fields`` of distinct ``keys``; ``places`` has for each row the position of its key, -1 without one."""

    keys: Sequence[bytes]
    fields: tuple[bytes, ...]
    places: Sequence[int]


def compile_plan(path: str, references: Sequence[Reference], views: Mapping[str, FeatureView]) -> Plan:
    """The plan of a selection. Raises FeatureViewNotFound or FeatureNotFound naming the entry of ``path``."""
    features = resolve(path, references, views)
    groups: dict[tuple[str, ...], dict[bytes, int]] = {}
    targets: list[Target] = []
    for one, feature in zip(references, features, strict=True):
        definition = views[one.view].definition
        entities = tuple(sorted(definition.entities))
        fields = groups.setdefault(entities, {})
        field = fields.setdefault(layout.feature_field(one.view, one.feature), len(fields))
        timestamp = fields.setdefault(layout.timestamp_field(one.view), len(fields))
        max_age_us = None if definition.max_age is None else definition.max_age // _MICROSECOND
        group = list(groups).index(entities)
        targets.append(Target(str(one), feature.type, max_age_us, group, field, timestamp))
    wanted = dict.fromkeys(name for entities in groups for name in entities)
    return Plan(tuple(wanted), tuple((entities, tuple(fields)) for entities, fields in groups.items()), tuple(targets))


def lookups(plan: Plan, columns: Sequence[Column], project: str) -> tuple[int, Sequence[Lookup]]:
    """How many rows are asked about, and what to look up for them, each key once. Raises InvalidInput."""
    rows = _count(columns)
    for position, column in enumerate(columns):
        check_column(f"entities[{position}]", column, rows)
    by_name = {column.name: column for column in entity_columns("entities", columns, plan.entities)}
    if not 1 <= rows <= MAX_ROWS:
        raise invalid_field("entities", f"hold {rows} rows; give 1 to {MAX_ROWS}")
    if rows * len(plan.targets) > MAX_VALUES:
        raise invalid_field("entities", f"ask for {rows} x {len(plan.targets)} values; at most {MAX_VALUES} at once")
    made: list[Lookup] = []
    for entities, fields in plan.groups:
        keys = layout.entity_keys(project, [by_name[name] for name in entities], rows)
        distinct: dict[bytes, int] = {}
        places = [-1 if key is None else distinct.setdefault(key, len(distinct)) for key in keys]
        made.append(Lookup(list(distinct), fields, places))
    return rows, made


def _count(columns: Sequence[Column]) -> int:
    if not columns:
        return 0
    shaped = [len(column.values) for column in columns if column.shape is not None]
    return shaped[0] if shaped else len(columns[0].absent)


def moments(given: Sequence[int], rows: int, now_us: int) -> Sequence[int]:
    """The moment that each row asks about. Raises InvalidInput about ``event_times_us``."""
    if len(given) not in {0, 1, rows}:
        raise invalid_field("event_times_us", f"has {len(given)} entries for {rows} rows; give one a row, one, or none")
    for row, moment_us in enumerate(given):
        if not 0 < moment_us <= LATEST_US:
            raise invalid_field(f"event_times_us[{row}]", f"is {moment_us}; give microseconds since 1970")
    return given if len(given) == rows else list(given or [now_us]) * rows


def answer(
    plan: Plan, asked: Sequence[Lookup], found: Sequence[Sequence[Found]], moments_us: Sequence[int]
) -> Sequence[AnswerColumn]:
    """A column a feature: ``found`` has what each lookup gave, key by key."""
    return [_column(one, asked[one.group].places, found[one.group], moments_us) for one in plan.targets]


def _column(target: Target, places: Sequence[int], found: Sequence[Found], moments_us: Sequence[int]) -> AnswerColumn:
    # Rows of the same key share what its bytes say.
    cells = [_cell(target, one) for one in found]
    return fill(target.name, target.kind, target.max_age_us, [cells[n] if n >= 0 else None for n in places], moments_us)


def _cell(target: Target, found: Found) -> Cell:
    raw, stamp = found[target.field], found[target.timestamp]
    if raw is None or stamp is None:
        return None
    try:
        event_time_us = wire.read_timestamp(stamp)
    except ValueError as error:
        return error, 0
    try:
        return wire.decode(target.kind, raw), event_time_us
    except ValueError as error:
        return error, event_time_us
