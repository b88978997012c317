from __future__ import annotations

from datetime import UTC, datetime

import pytest

from examples.flights import data
from examples.flights.features import CATEGORIES, NUMBERS, features
from slipway.errors import Unavailable


def test_a_flight_is_named_once_and_keeps_no_outcome_but_its_label() -> None:
    rows = data.flights()
    assert len(rows) == 336_776
    assert not rows.duplicated(["carrier", "flight", "date", "origin"]).any()
    assert rows["late"].isna().sum() == 9_430
    assert rows["scheduled_departure"].is_monotonic_increasing
    assert not {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"} & set(rows)


def test_the_first_flight_is_told_as_the_schedule_tells_it() -> None:
    rows = data.flights([1])
    first = rows[(rows["carrier"] == "UA") & (rows["flight"] == 1545) & (rows["date"] == "2013-01-01")]
    assert first["scheduled_departure"].item() == datetime(2013, 1, 1, 10, 15, tzinfo=UTC)
    assert first["late"].item() == 0.0
    (told,) = features(first).to_dict("records")
    assert told == {
        "carrier": "UA",
        "origin": "EWR",
        "dest": "IAH",
        "plane_type": "Fixed wing multi engine",
        "plane_engine": "Turbo-fan",
        "plane_manufacturer": "BOEING",
        "departure_minute": 315.0,
        "departure_hour": 5.0,
        "scheduled_minutes": 184.0,
        "month": 1.0,
        "day_of_week": 2.0,
        "distance_miles": 1400.0,
        "plane_year": 1999.0,
        "plane_seats": 149.0,
    }


def test_a_flight_over_midnight_lasts_hours_and_not_a_day() -> None:
    table = features(data.flights())
    assert table["scheduled_minutes"].between(45, 420).all()
    assert table["departure_minute"].between(0, 24 * 60 - 1).all()
    assert set(table) == {*CATEGORIES, *NUMBERS}


def test_a_flight_without_a_plane_row_has_missing_plane_features() -> None:
    table = features(data.flights())
    missing = table["plane_type"].isna()
    assert missing.sum() == 52_606
    assert table.loc[missing, "plane_year"].isna().all()
    assert table.loc[missing, "plane_engine"].map(lambda value: value is None).all()


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Unavailable, match="flights"):
        data.data_folder()
