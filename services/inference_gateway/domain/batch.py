"""A batch of rows to be answered."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from services.inference_gateway.domain.block import first_rows, taken
from services.inference_gateway.domain.columns import Array, Column
from slipway.errors import FieldViolation, InvalidInput, invalid_field
from slipway.naming import column_name, is_column_name, is_resource_name, request_id, resource_name

MAX_ROWS = 4096
_DIGEST_BYTES = 16


class Protocol(enum.Enum):
    """By which protocol a batch was asked."""

    PREDICT = "predict"
    OPEN_INFERENCE = "open_inference"

    __hash__ = object.__hash__  # there is one of each; an enumeration's own costs a call

    @property
    def field(self) -> str:
        """What the protocol calls a request's feature columns."""
        return "inputs" if self is Protocol.OPEN_INFERENCE else "features"


class Origin(NamedTuple):
    """Where successive rows of a batch come from: one caller's request, its trace, and when it was taken in.

    ``began_s`` is monotonic, in seconds.
    """

    rows: int
    tenant: str = ""
    trace_id: str = ""
    began_s: float = 0.0


@dataclass(slots=True)
class Batch:
    """Rows for one endpoint. ``ids`` are the caller's, one a row, or none.

    Nobody changes one. It is not frozen, for then each of its fields would cost a call, at every request.

    ``event_times_us`` [rows] are microseconds since 1970 UTC; ``timed`` says that the caller gave them.
    ``places`` [rows] are the rows' numbers in the caller's request, where they are others than here.
    ``tenant`` is who asks, and pays; of its batches that wait, those with the lower ``priority`` number come first, 1
    before all, and 0 stands for 65,536.
    ``deadline_s`` is the monotonic time, in seconds, at which nobody waits any more. ``origins`` are the requests of
    a batch that was merged of several, in the rows' order; none for a batch that is one request. ``explain`` says that
    its caller wants to know what each column did.
    Batches with the same ``alike``, if it is one, have ``features`` of the same names, kinds and types, all sound.
    """

    endpoint: str
    rows: int
    ids: tuple[str, ...]
    event_times_us: Array
    timed: bool
    entity_keys: tuple[Column, ...]
    features: Sequence[Column]
    protocol: Protocol
    trace_id: str = ""
    places: Array | None = None
    tenant: str = ""
    priority: int = 0
    deadline_s: float | None = None
    origins: tuple[Origin, ...] = ()
    explain: bool = False
    alike: object = None

    def of(self, origins: tuple[Origin, ...]) -> Batch:
        """The same rows, as those of these requests."""
        return Batch(
            self.endpoint,
            self.rows,
            self.ids,
            self.event_times_us,
            self.timed,
            self.entity_keys,
            self.features,
            self.protocol,
            self.trace_id,
            self.places,
            self.tenant,
            self.priority,
            self.deadline_s,
            origins,
            self.explain,
            self.alike,
        )

    def take(self, rows: Array) -> Batch:
        """The batch of ``rows`` (indices, ascending) alone."""
        return Batch(
            self.endpoint,
            len(rows),
            tuple(self.ids[row] for row in rows.tolist()) if self.ids else (),
            self.event_times_us[rows],
            self.timed,
            tuple(column.take(rows) for column in self.entity_keys),
            taken(self.features, rows),
            self.protocol,
            self.trace_id,
            rows if self.places is None else self.places[rows],
            self.tenant,
            self.priority,
            self.deadline_s,
            _kept(self.origins, rows),
            alike=self.alike,
        )


def one_request(batch: Batch, start: int, rows: int) -> Batch:
    """Successive rows of a batch as a request of their own."""
    return replace(batch.take(np.arange(start, start + rows)), places=None, origins=())


def some_requests(batch: Batch, numbers: Sequence[int], rows: int) -> Batch:
    """Those of a batch's ``origins`` that have these numbers, ascending; each has so many ``rows`` and no ids."""
    picked = np.array(numbers, dtype=np.int64)
    if rows > 1:
        picked = (picked[:, None] * rows + np.arange(rows)).ravel()
    # By hand: the numbers say which origins are left, and take() would have to find out.
    return Batch(
        batch.endpoint,
        len(picked),
        (),
        batch.event_times_us[picked],
        batch.timed,
        tuple([column.take(picked) for column in batch.entity_keys]),
        taken(batch.features, picked),
        batch.protocol,
        tenant=batch.tenant,
        priority=batch.priority,
        deadline_s=batch.deadline_s,
        origins=tuple([batch.origins[number] for number in numbers]),
        alike=batch.alike,
    )


def all_at(moment_us: int, rows: int) -> Array:
    """The one moment of all rows, [rows]."""
    moments = np.empty(rows, dtype=np.int64)
    moments.fill(moment_us)  # half of what numpy.full takes
    return moments


def _kept(origins: tuple[Origin, ...], rows: Array) -> tuple[Origin, ...]:
    """The requests that some rows (indices, ascending) come from, with how many of each."""
    if not origins:
        return ()
    ends = np.cumsum([one.rows for one in origins])
    counts = np.bincount(np.searchsorted(ends, rows, side="right"), minlength=len(origins)).tolist()
    return tuple(one._replace(rows=count) for one, count in zip(origins, counts, strict=True) if count)


def check_batch(batch: Batch) -> None:
    """Raise InvalidInput naming the field unless the batch's lists fit each other."""
    if not _is_plain(batch):
        _check(batch)
    elif batch.ids:
        _check_ids(batch)


def _is_plain(batch: Batch) -> bool:
    """Whether all but the ids is as it nearly always is, which is quicker found out than what is wrong otherwise."""
    rows, keys = batch.rows, batch.entity_keys
    if not 0 < rows <= MAX_ROWS or len(batch.event_times_us) != rows or not is_resource_name(batch.endpoint):
        return False
    if batch.alike is None:
        if not are_plain(batch.features, rows):
            return False
    elif first_rows(batch.features) != rows:
        return False
    return not keys or are_plain(keys, rows)


def are_plain(columns: Sequence[Column], rows: int) -> bool:
    """Whether columns have a value for each of so many rows, and names, each its own."""
    for one in columns:
        if len(one.values) != rows or len(one.absent) or not is_column_name(one.name):
            return False
    return len(columns) < 2 or len({one.name for one in columns}) == len(columns)


def _check(batch: Batch) -> None:
    resource_name("endpoint", batch.endpoint)
    if batch.rows == 0:
        raise invalid_field(batch.protocol.field, "has no rows; give at least one column with a value a row")
    if batch.rows > MAX_ROWS:
        raise invalid_field(
            batch.protocol.field, f"has {batch.rows} rows; at most {MAX_ROWS} go in one request, split it"
        )
    _check_columns(batch)
    if batch.ids:
        _check_ids(batch)
    if len(batch.event_times_us) != batch.rows:
        raise invalid_field(
            "event_times", f"has {len(batch.event_times_us)} moments for {batch.rows} rows; give one, or one a row"
        )


def _check_ids(batch: Batch) -> None:
    if len(batch.ids) != batch.rows:
        raise invalid_field("prediction_ids", f"has {len(batch.ids)} ids for {batch.rows} rows; give one a row")
    for position, one in enumerate(batch.ids):
        request_id(f"prediction_ids[{position}]", one)
    if len(set(batch.ids)) < batch.rows:
        raise invalid_field("prediction_ids", "has an id twice; every row needs its own")


def _check_columns(batch: Batch) -> None:
    wrong: list[FieldViolation] = []
    for where, columns in (("entity_keys", batch.entity_keys), (batch.protocol.field, batch.features)):
        seen: set[str] = set()
        for column in columns:
            path = f"{where}[{column_name(f'{where}.name', column.name)}]"
            if len(column.values) != batch.rows:
                wrong.append(FieldViolation(path, f"has {len(column.values)} values for {batch.rows} rows"))
            if len(column.absent) and max(column.absent) >= batch.rows:
                wrong.append(FieldViolation(f"{path}.absent_rows", f"names a row past the last, {batch.rows - 1}"))
            if column.name in seen:
                wrong.append(FieldViolation(path, "stands twice; give each column once"))
            seen.add(column.name)
    if wrong:
        raise InvalidInput("; ".join(f"{one.field}: {one.description}" for one in wrong), violations=wrong)


def digests(batch: Batch) -> tuple[bytes, ...]:
    """What tells each row's input from any other: the first 16 bytes of a SHA-256."""
    parts: list[Iterable[bytes]] = []
    for group in (batch.entity_keys, batch.features):
        for column in sorted(group, key=lambda one: one.name):
            label = column.name.encode() + b"="
            # An absent value is the same as a column that is not given.
            parts.append([label + value if value else b"" for value in column.encoded_rows()])
        parts.append([b"|"] * batch.rows)
    if batch.timed:
        times = np.asarray(batch.event_times_us, dtype=np.int64)
        parts.append([int(moment).to_bytes(8, "little", signed=True) for moment in times])
    name = batch.endpoint.encode()
    return tuple(
        hashlib.sha256(name + b"|" + b"".join(pieces)).digest()[:_DIGEST_BYTES] for pieces in zip(*parts, strict=True)
    )
