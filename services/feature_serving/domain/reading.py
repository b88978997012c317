"""Reading features: what to look up for a selection, worked out once, and what the found bytes answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.feature_serving.domain import layout, wire
from services.feature_serving.domain.answer import AnswerColumn, Cell, fill
from services.feature_serving.domain.column import Column, check_column, entity_columns
from services.feature_serving.domain.fallback import as_read
from services.feature_serving.domain.moments import LATEST_US
from services.feature_serving.domain.rows import MAX_ROWS, MAX_VALUES
from services.feature_serving.domain.service import Reference, resolve
from services.feature_serving.domain.view import Fallback, FeatureView, ValueType
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
    """Where a feature's bytes will be: in the ``group``-th lookup, at the positions ``field`` and ``timestamp``.

    ``hop_us`` is 0 unless ``view`` is windowed.
    """

    name: str
    kind: ValueType
    max_age_us: int | None
    group: int
    field: int
    timestamp: int
    view: str
    hop_us: int = 0
    fallback: Fallback | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A selection, compiled. A group reads, for one set of entities, hash fields of all its views at once."""

    entities: tuple[str, ...]
    groups: tuple[tuple[tuple[str, ...], tuple[bytes, ...]], ...]
    targets: tuple[Target, ...]

    @property
    def hops(self) -> set[tuple[str, int]]:
        """The windowed views that are read, with their hops in microseconds."""
        return {(one.view, one.hop_us) for one in self.targets if one.hop_us}


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
        hop_us = 0 if definition.hop is None else definition.hop // _MICROSECOND
        place = (group, field, timestamp)
        targets.append(Target(str(one), feature.type, max_age_us, *place, one.view, hop_us, as_read(feature)))
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
    plan: Plan,
    asked: Sequence[Lookup],
    found: Sequence[Sequence[Found]],
    moments_us: Sequence[int],
    boundaries: Mapping[str, int],
) -> Sequence[AnswerColumn]:
    """A column a feature: ``found`` has what each lookup gave, key by key.

    A row of a windowed view is written when its values change, and they are true until the view's last boundary: so
    that is their event time, unless the row is newer.
    """
    # The features of a view share its event times.
    places = {(one.group, one.timestamp): boundaries.get(one.view, 0) for one in plan.targets}
    stamps = {
        (group, field): [_stamp(one[field], since_us) for one in found[group]]
        for (group, field), since_us in places.items()
    }
    columns: list[AnswerColumn] = []
    for one in plan.targets:
        cells = _cells(one, found[one.group], stamps[one.group, one.timestamp])
        # Rows of the same key share what its bytes say.
        by_row = [cells[n] if n >= 0 else None for n in asked[one.group].places]
        columns.append(fill(one.name, one.kind, one.max_age_us, by_row, moments_us, fallback=one.fallback))
    return columns


def _stamp(raw: bytes | None, since_us: int) -> int | ValueError | None:
    try:
        return None if raw is None else max(wire.read_timestamp(raw), since_us)
    except ValueError as error:
        return error


def _cells(target: Target, found: Sequence[Found], stamps: Sequence[int | ValueError | None]) -> list[Cell]:
    kind, field, decode = target.kind, target.field, wire.decode
    cells: list[Cell] = []
    for one, stamp in zip(found, stamps, strict=True):
        raw = one[field]
        if raw is None or stamp is None:
            cells.append(None)
        elif isinstance(stamp, ValueError):
            cells.append((stamp, 0))
        else:
            try:
                cells.append((decode(kind, raw), stamp))
            except ValueError as error:
                cells.append((error, stamp))
    return cells
