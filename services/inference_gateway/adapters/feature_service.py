"""Features online, from feature_serving over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from services.inference_gateway.domain.columns import Array, Column, ValueKind
from services.inference_gateway.domain.features import Fallback, FeatureColumn
from slipway.client import peers
from slipway.client._async.transport import AsyncStub
from slipway.errors import Unavailable
from slipway.gen.slipway.features.v1 import features_pb2 as pb
from slipway.gen.slipway.features.v1 import resources_pb2 as res

_MOST_VALUES = 250_000  # that feature_serving answers at once
_SHARE = 0.5  # of what the caller has left: the answer must still be made
_KINDS: dict[str, tuple[ValueKind, type]] = {
    "doubles": (ValueKind.DOUBLE, np.float64),
    "int64s": (ValueKind.INT64, np.int64),
    "strings": (ValueKind.STRING, object),
    "bools": (ValueKind.BOOL, np.bool_),
    "timestamps": (ValueKind.INT64, np.int64),
}
_SCALARS = {
    "double_value": ValueKind.DOUBLE,
    "int64_value": ValueKind.INT64,
    "string_value": ValueKind.STRING,
    "bool_value": ValueKind.BOOL,
    "timestamp_us": ValueKind.INT64,
}
# Nothing is tried again here: a caller waits, and there is an answer without.
_PEER = replace(peers.FEATURES, safe=frozenset())


class UnusableFeatures(Unavailable):
    """The answer is not one to what was asked."""

    reason = "UNUSABLE_FEATURES"


class FeatureService:
    """See :class:`services.inference_gateway.ports.Features`; made by :meth:`at`."""

    def __init__(self, stub: AsyncStub, timeout_s: float) -> None:
        self._stub = stub
        self._timeout_s = timeout_s
        # A view's entities never change, so they are asked for once.
        self._entities: dict[str, frozenset[str]] = {}
        self._fallbacks: dict[str, Fallback] = {}

    @classmethod
    @asynccontextmanager
    async def at(cls, address: str, timeout_s: float) -> AsyncIterator[FeatureService]:
        """The service at an address, which may be away; closed on leaving."""
        stub = AsyncStub(_PEER, address, timeout_s)
        try:
            yield cls(stub, timeout_s)
        finally:
            await stub.aclose()

    async def read(
        self, features: Sequence[str], keys: Sequence[Column], event_times_us: Array, left_s: float | None
    ) -> Mapping[str, FeatureColumn]:
        """See Features."""
        timeout_s = self._timeout_s if left_s is None else min(self._timeout_s, left_s * _SHARE)
        views = dict.fromkeys(one.partition(":")[0] for one in features)
        await asyncio.gather(*(self._learn(view, timeout_s) for view in views if view not in self._entities))
        wanted = frozenset().union(*(self._entities[view] for view in views))
        asked = [column for column in keys if column.name in wanted]
        rows = len(event_times_us)
        step = max(1, _MOST_VALUES // len(features))
        if rows <= step:
            return await self._part(features, asked, event_times_us, timeout_s)
        spans = [np.arange(start, min(start + step, rows)) for start in range(0, rows, step)]
        parts = await asyncio.gather(
            *(
                self._part(features, [column.take(span) for column in asked], event_times_us[span], timeout_s)
                for span in spans
            )
        )
        return {name: _joined([part[name] for part in parts]) for name in features}

    def fallbacks(self, features: Sequence[str]) -> Mapping[str, Fallback]:
        """See Features."""
        return {name: self._fallbacks[name] for name in features if name in self._fallbacks}

    def _told(self, name: str, message: res.FeatureColumn | res.Feature) -> None:
        # It may change, and go: what was told last counts.
        if message.HasField("fallback") and (kind := message.fallback.WhichOneof("value")):
            self._fallbacks[name] = Fallback(_SCALARS[kind], getattr(message.fallback, kind))
        else:
            self._fallbacks.pop(name, None)

    async def _learn(self, view: str, timeout_s: float) -> None:
        request = pb.GetFeatureViewRequest(name=view)
        answer = await self._stub.unary("GetFeatureView", request, pb.GetFeatureViewResponse, timeout_s=timeout_s)
        self._entities[view] = frozenset(answer.view.entities)
        for feature in answer.view.features:
            self._told(f"{view}:{feature.name}", feature)

    async def _part(
        self, features: Sequence[str], keys: Sequence[Column], moments: Array, timeout_s: float
    ) -> dict[str, FeatureColumn]:
        same = bool((moments == moments[0]).all())
        request = pb.GetOnlineFeaturesRequest(
            features=features,
            entities=[_encoded(column) for column in keys],
            event_times_us=moments[:1].tolist() if same else moments.tolist(),
        )
        answer = await self._stub.unary("GetOnlineFeatures", request, pb.GetOnlineFeaturesResponse, timeout_s=timeout_s)
        columns = {one.name: _decoded(one) for one in answer.columns}
        for one in answer.columns:
            self._told(one.name, one)
        for name in features:
            if name not in columns or len(columns[name].values) != len(moments):
                raise UnusableFeatures(f"feature_serving does not answer {name!r} for {len(moments)} rows")
        return columns


def _encoded(column: Column) -> res.Column:
    made = res.Column(name=column.name, absent_rows=column.absent)
    if len(column.absent) >= len(column.values):
        return made
    if column.kind is ValueKind.INT64:
        made.int64s.values.extend(column.values.tolist())
    else:
        made.strings.values.extend(column.values.tolist())
    return made


def _decoded(message: res.FeatureColumn) -> FeatureColumn:
    rows = len(message.statuses)
    statuses = _statuses(message, rows)
    times = np.fromiter(message.event_times_us, np.int64, len(message.event_times_us))
    field = message.WhichOneof("values")
    if field is None:
        return FeatureColumn(ValueKind.DOUBLE, np.zeros(rows), statuses, times)
    kind, dtype = _KINDS[field]
    chosen: Any = getattr(message, field)
    given = chosen.values_us if field == "timestamps" else chosen.values
    # From an iterator or a list: numpy asks a repeated field of protobuf for every protocol that it might be.
    values = np.array(list(given), dtype=object) if dtype is object else np.fromiter(given, dtype, len(given))
    if not len(values) == rows == len(times):
        raise UnusableFeatures(f"feature_serving answers {message.name!r} in columns of several lengths")
    return FeatureColumn(kind, values, statuses, times)


def _statuses(message: res.FeatureColumn, rows: int) -> Array:
    try:
        return np.frombuffer(bytes(message.statuses), np.uint8)
    except ValueError:
        # One that no byte holds, of a contract to come, is as unknown as 255.
        return np.minimum(np.fromiter(message.statuses, np.int64, rows), 255).astype(np.uint8)


def _joined(parts: Sequence[FeatureColumn]) -> FeatureColumn:
    return FeatureColumn(
        parts[0].kind,
        np.concatenate([one.values for one in parts]),
        np.concatenate([one.statuses for one in parts]),
        np.concatenate([one.event_times_us for one in parts]),
    )
