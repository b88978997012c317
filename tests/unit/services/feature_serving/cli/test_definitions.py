from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.feature_serving.cli.definitions import BadDefinitions, located, read
from slipway.client import Feature, FeatureService, FeatureStatus, FeatureView, ValueType
from slipway.errors import Kind, SlipwayError, invalid_field

GOOD = """
[[views]]
name = "planes"
owner = "fleet"
entities = ["tailnum"]
max_age_s = 604800
[[views.features]]
name = "seats"
type = "int32"
description = "Seats in the plane."
"""
PLANES = FeatureView(
    "planes",
    "fleet",
    ("tailnum",),
    (Feature("seats", ValueType.INT32, "Seats in the plane."),),
    max_age=timedelta(days=7),
)


def write(folder: Path, text: str) -> Path:
    file = folder / "planes.toml"
    file.write_text(text)
    return file


def test_views_are_read(tmp_path: Path) -> None:
    assert read(write(tmp_path, GOOD)) == ([PLANES], [])


def test_feature_services_are_read_beside_views_or_alone(tmp_path: Path) -> None:
    service = '[[services]]\nname = "late"\nowner = "fleet"\nfeatures = ["planes:seats"]\n'
    expected = FeatureService("late", "fleet", ("planes:seats",))
    assert read(write(tmp_path, GOOD + service)) == ([PLANES], [expected])
    assert read(write(tmp_path, service)) == ([], [expected])
    with pytest.raises(BadDefinitions, match=r"services\[0\] \(late\)\.owner: is missing"):
        read(write(tmp_path, service.replace('owner = "fleet"', "")))


def test_fallbacks_are_read_in_both_languages(tmp_path: Path) -> None:
    seats = 'fallback = 150\nfallback_for = ["null_value", "not_found"]\n'
    built = '[[views.features]]\nname = "built"\ntype = "timestamp"\nfallback = 1999-01-01T00:00:00\n'
    statuses = (FeatureStatus.NULL_VALUE, FeatureStatus.NOT_FOUND)
    expected = replace(
        PLANES,
        features=(
            replace(PLANES.features[0], fallback=150, fallback_for=statuses),
            Feature("built", ValueType.TIMESTAMP, fallback=datetime(1999, 1, 1, tzinfo=UTC)),
        ),
    )
    assert read(write(tmp_path, GOOD + seats + built)) == ([expected], [])
    file = tmp_path / "planes.json"
    file.write_text(json.dumps(tomllib.loads(GOOD + seats + built), default=lambda one: f"{one.isoformat()}Z"))
    assert read(file) == ([expected], [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace('"int32"', '"int33"'), r"views\[0\] \(planes\)\.features\[0\]\.type: Input should be 'bool'"),
        (GOOD.replace('owner = "fleet"', ""), r"views\[0\] \(planes\)\.owner: is missing; add it"),
        (GOOD.replace("owner", "ovner"), r"views\[0\] \(planes\)\.ovner: is not a known key"),
        (GOOD + 'fallback_for = ["present"]\n', r"features\[0\]\.fallback_for\[0\]: Input should be 'null_value'"),
        (
            GOOD.replace('"int32"', '"timestamp"') + 'fallback = "soon"\n',
            r"features\[0\]\.fallback: is missing or no moment; write 2013",
        ),
        (GOOD.replace("604800", "0"), r"views\[0\] \(planes\)\.max_age_s: Input should be greater than 0"),
        (GOOD.replace("604800", "nan"), r"views\[0\] \(planes\)\.max_age_s: "),
        ("views = 3", "views: "),
        ("", "views: is missing; add it"),
        ("[[views]", "is not valid TOML"),
    ],
)
def test_a_bad_file_names_file_view_and_field(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadDefinitions, match=rf"planes\.toml.*{told}"):
        read(write(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDefinitions, match=r"can't read .*planes\.toml: No such file"):
        read(tmp_path / "planes.toml")


def test_what_the_service_refuses_is_placed_in_the_file() -> None:
    refused = invalid_field("views[0].features[0].name", "is an entity of the view; choose another name")
    with pytest.raises(SlipwayError) as raised, located(Path("planes.toml"), [PLANES]):
        raise refused
    placed = raised.value
    assert placed.kind is Kind.INVALID_ARGUMENT
    assert placed.message.startswith("planes.toml: views[0] (planes).features[0].name: is an entity")
    assert placed.violations[0].field == "views[0] (planes).features[0].name"


def test_json_says_the_same_as_toml(tmp_path: Path) -> None:
    file = tmp_path / "planes.json"
    file.write_text(json.dumps(tomllib.loads(GOOD)))
    assert read(file) == ([PLANES], [])
    file.write_text("[]")
    with pytest.raises(BadDefinitions, match=r"planes\.json: holds no definitions"):
        read(file)
    file.write_text("{")
    with pytest.raises(BadDefinitions, match=r"planes\.json is not valid JSON"):
        read(file)
