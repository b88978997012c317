from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.feature_serving.domain.errors import EntitiesChanged, FeatureTypeChanged
from services.feature_serving.domain.rules import MAX_FEATURES, MAX_TEXT, MAX_VIEWS, changed, check_definitions
from services.feature_serving.domain.status import Status
from services.feature_serving.domain.view import Definition, Fallback, Feature, FeatureView, ValueType
from slipway.errors import InvalidInput

NOW = datetime(2013, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SEATS, AGE = Feature("seats", ValueType.INT32), Feature("age_years", ValueType.FLOAT)
PLANES = Definition("planes", "fleet", "Planes.", ("tailnum",), (SEATS, AGE), timedelta(days=7))
STORED = FeatureView(PLANES, 3, NOW)


def test_sound_definitions_pass() -> None:
    check_definitions([PLANES, replace(PLANES, name="planes_2", max_age=None, description="")])


@pytest.mark.parametrize(
    ("definition", "field"),
    [
        (replace(PLANES, name="Planes"), "views[0].name"),
        (replace(PLANES, owner="  "), "views[0].owner"),
        (replace(PLANES, owner="x" * (MAX_TEXT + 1)), "views[0].owner"),
        (replace(PLANES, description="x" * (MAX_TEXT + 1)), "views[0].description"),
        (replace(PLANES, entities=()), "views[0].entities"),
        (replace(PLANES, entities=("tailnum", "tail num")), "views[0].entities[1]"),
        (replace(PLANES, entities=("tailnum", "tailnum")), "views[0].entities[1]"),
        (replace(PLANES, features=()), "views[0].features"),
        (replace(PLANES, features=(SEATS,) * (MAX_FEATURES + 1)), "views[0].features"),
        (replace(PLANES, features=(SEATS, replace(AGE, name="9"))), "views[0].features[1].name"),
        (replace(PLANES, features=(SEATS, SEATS)), "views[0].features[1].name"),
        (replace(PLANES, features=(replace(SEATS, name="tailnum"),)), "views[0].features[0].name"),
        (
            replace(PLANES, features=(replace(SEATS, description="x" * (MAX_TEXT + 1)),)),
            "views[0].features[0].description",
        ),
        (
            replace(PLANES, features=(SEATS, replace(AGE, fallback=Fallback(1e39)))),
            "views[0].features[1].fallback",
        ),
        (replace(PLANES, max_age=timedelta(0)), "views[0].max_age"),
        (replace(PLANES, max_age=timedelta(seconds=-1)), "views[0].max_age"),
        (replace(PLANES, max_age=timedelta.max), "views[0].max_age"),
    ],
)
def test_an_unsound_definition_names_its_field(definition: Definition, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_definitions([definition])
    assert raised.value.violations[0].field == field


@pytest.mark.parametrize(
    ("definitions", "field"), [([], "views"), ([PLANES] * (MAX_VIEWS + 1), "views"), ([PLANES] * 2, "views[1].name")]
)
def test_definitions_that_can_not_be_stored_together_are_refused(definitions: list[Definition], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_definitions(definitions)
    assert raised.value.violations[0].field == field


def test_every_fault_of_every_view_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as raised:
        check_definitions([replace(PLANES, owner=""), replace(PLANES, name="b", max_age=timedelta(0))])
    assert [one.field for one in raised.value.violations] == ["views[0].owner", "views[1].max_age"]


def test_a_fallback_may_come_change_and_go() -> None:
    for fallback in (Fallback(150), Fallback(151), Fallback(151, frozenset({Status.NULL_VALUE})), None):
        wanted = replace(PLANES, features=(replace(SEATS, fallback=fallback), AGE))
        assert changed(STORED, wanted, LATER).revision == (4 if fallback else 3)


def test_a_new_view_begins_at_revision_1() -> None:
    assert changed(None, PLANES, NOW) == FeatureView(PLANES, 1, NOW)


def test_the_same_definition_changes_nothing() -> None:
    assert changed(STORED, replace(PLANES), LATER) is STORED


@pytest.mark.parametrize(
    "wanted",
    [
        replace(PLANES, owner="dock"),
        replace(PLANES, description=""),
        replace(PLANES, max_age=None),
        replace(PLANES, features=(AGE, SEATS)),
        replace(PLANES, features=(SEATS,)),
        replace(PLANES, features=(SEATS, AGE, Feature("engines", ValueType.INT32))),
    ],
)
def test_another_definition_is_the_next_revision(wanted: Definition) -> None:
    assert changed(STORED, wanted, LATER) == FeatureView(wanted, 4, LATER)


def test_a_feature_keeps_its_type() -> None:
    wanted = replace(PLANES, features=(replace(SEATS, type=ValueType.INT64), AGE))
    with pytest.raises(FeatureTypeChanged, match="'seats' of view 'planes' is INT32 and can't become INT64") as raised:
        changed(STORED, wanted, LATER)
    assert raised.value.facts == {"view": "planes", "feature": "seats", "from": "INT32", "to": "INT64"}


def test_a_view_keeps_its_entities_in_whatever_order() -> None:
    two = FeatureView(replace(PLANES, entities=("tailnum", "carrier")), 1, NOW)
    assert changed(two, replace(PLANES, entities=("carrier", "tailnum")), LATER).revision == 2
    with pytest.raises(EntitiesChanged, match="'planes' is of tailnum, carrier and can't become one of tailnum"):
        changed(two, PLANES, LATER)
