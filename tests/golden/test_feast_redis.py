"""Our online layout against bytes that Feast itself made; ``scripts/interop/feast --record`` renews them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.feature_serving.domain import layout, wire
from services.feature_serving.domain.column import Column, Shape
from services.feature_serving.domain.view import ValueType

FILES = sorted(Path(__file__).with_name("feast_redis").glob("*.json"))
SHAPES = {"string": Shape.STRINGS, "int64": Shape.INT64S}


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def golden(request: pytest.FixtureRequest) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(request.param.read_text(encoding="utf-8"))
    return {**told, "view": request.param.stem}


def values(golden: dict[str, Any]) -> Iterator[tuple[ValueType, Any, bytes]]:
    """Every value with its type and Feast's bytes; moments in microseconds, as ours are."""
    for row in golden["rows"]:
        for name, kind in golden["features"].items():
            given = row["given"][name]
            is_moment = kind == "timestamp" and given is not None
            yield (
                ValueType(kind.upper()),
                given * wire.MICROS if is_moment else given,
                bytes.fromhex(row["values"][name]),
            )


def test_there_are_golden_bytes() -> None:
    assert [file.stem for file in FILES] == ["flights", "planes"]


def test_keys_are_feasts(golden: dict[str, Any]) -> None:
    rows = golden["rows"]
    columns = [
        Column(name, SHAPES[kind], [row["given"][name] for row in rows]) for name, kind in golden["entities"].items()
    ]
    expected = [bytes.fromhex(row["key"]) for row in rows]
    assert layout.entity_keys(golden["project"], columns, len(rows)) == expected
    assert layout.entity_keys(golden["project"], columns[::-1], len(rows)) == expected


def test_hash_fields_are_feasts(golden: dict[str, Any]) -> None:
    made = {name: layout.feature_field(golden["view"], name).hex() for name in golden["features"]}
    assert made == golden["fields"]
    assert layout.timestamp_field(golden["view"]) == golden["timestamp_field"].encode()


def test_values_are_feasts_bytes_both_ways(golden: dict[str, Any]) -> None:
    for kind, given, raw in values(golden):
        assert (wire.NULL if given is None else wire.encoder(kind)(given)) == raw
        assert wire.decode(kind, raw) == given


def test_event_times_are_feasts_bytes_both_ways(golden: dict[str, Any]) -> None:
    for row in golden["rows"]:
        raw = bytes.fromhex(row["timestamp"])
        assert wire.timestamp(row["given"]["event_time"]) == raw
        assert wire.read_timestamp(raw) == row["given"]["event_time"]
