from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from examples.flights import data, warehouse
from examples.flights.features import SCHEDULE
from examples.flights.times import QUESTION_LEAD, moments, scheduled_arrival, zones
from slipway.errors import InvalidInput

MOMENT = pa.timestamp("us", tz="UTC")


@pytest.fixture(scope="module")
def recorded() -> pd.DataFrame:
    rows = data.recorded()
    return rows.assign(**moments(rows))


@pytest.fixture(scope="module")
def timed() -> pd.DataFrame:
    return warehouse.flights_timed().set_index("flight", verify_integrity=True)


def flight(departs: datetime, arrives: int, dest: str) -> pd.DataFrame:
    """One flight by its scheduled departure and the clock of its scheduled arrival."""
    return pd.DataFrame({"scheduled_departure": [departs], "sched_arr_time": [arrives], "dest": [dest]})


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("departs", "arrives", "dest", "expected"),
    [
        # To Los Angeles and back in time; to Honolulu over eleven hours.
        (utc(2013, 1, 1, 23), 2130, "LAX", utc(2013, 1, 2, 5, 30)),
        (utc(2013, 7, 1, 14), 1435, "HNL", utc(2013, 7, 2, 0, 35)),
        # Over midnight at the destination, and over midnight in New York alone.
        (utc(2013, 7, 2, 3, 59), 344, "SJU", utc(2013, 7, 2, 7, 44)),
        (utc(2013, 7, 2, 3, 30), 2355, "ORD", utc(2013, 7, 2, 4, 55)),
        # The airports without a row keep Atlantic time: an hour ahead of New York in winter, none in summer.
        (utc(2013, 1, 5, 13), 1250, "SJU", utc(2013, 1, 5, 16, 50)),
        (utc(2013, 1, 5, 13), 1250, "BQN", utc(2013, 1, 5, 16, 50)),
        (utc(2013, 1, 5, 13), 1250, "PSE", utc(2013, 1, 5, 16, 50)),
        (utc(2013, 1, 5, 13), 1250, "STT", utc(2013, 1, 5, 16, 50)),
        (utc(2013, 7, 5, 12), 1150, "STT", utc(2013, 7, 5, 15, 50)),
        # Phoenix has no summer time.
        (utc(2013, 3, 11, 12), 800, "PHX", utc(2013, 3, 11, 15)),
        # Clocks go on an hour at 2:00 on 10 March: 2:30 is the hour after; and back on 3 November: 1:30, the first.
        (utc(2013, 3, 10, 4), 230, "MIA", utc(2013, 3, 10, 7)),
        (utc(2013, 3, 10, 4), 415, "MIA", utc(2013, 3, 10, 8, 15)),
        (utc(2013, 11, 3, 3), 130, "MIA", utc(2013, 11, 3, 5, 30)),
        (utc(2013, 11, 3, 3), 315, "MIA", utc(2013, 11, 3, 8, 15)),
    ],
)
def test_an_arrival_is_the_first_time_that_the_destinations_clock_shows_it(
    departs: datetime, arrives: int, dest: str, expected: datetime
) -> None:
    assert scheduled_arrival(flight(departs, arrives, dest)).item() == expected


def test_an_airport_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"dest: XXX has no zone"):
        scheduled_arrival(flight(utc(2013, 1, 1, 12), 1200, "XXX"))
    assert scheduled_arrival(flight(utc(2013, 1, 1, 12), 1200, "JFK").head(0)).empty


def test_no_flight_lands_before_it_could(recorded: pd.DataFrame) -> None:
    landed = recorded[recorded["landed_at"].notna()]
    assert len(landed) == 327_346
    minutes = (landed["landed_at"] - landed["departed_at"]).dt.total_seconds() / 60
    assert (minutes >= landed["air_time"]).all()
    planned = (recorded["scheduled_arrival"] - recorded["scheduled_departure"]).dt.total_seconds() / 60
    assert planned.between(50, 700).all()


def test_landings_agree_with_the_clock_on_the_destinations_wall(recorded: pd.DataFrame) -> None:
    landed = recorded[recorded["landed_at"].notna()]
    differing = []
    for zone, part in landed.groupby(landed["dest"].map(zones())):
        local = part["landed_at"].dt.tz_convert(str(zone))
        differing.append(part[(local.dt.hour * 100 + local.dt.minute) != part["arr_time"] % 2400])
    # The record's one error: a clock in Florida that nobody had put forward yet, at 3:03 on 10 March.
    (wrong,) = pd.concat(differing)[["dest", "landed_at", "arr_time"]].to_dict("records")
    assert wrong == {"dest": "PBI", "landed_at": utc(2013, 3, 10, 7, 3), "arr_time": 203}


def test_a_flight_that_is_late_over_midnight_lands_on_the_next_day(timed: pd.DataFrame) -> None:
    one = timed.loc["B635-2013-03-09-JFK"]
    assert (one["event_time"], one["departed_at"]) == (utc(2013, 3, 10, 0, 45), utc(2013, 3, 10, 4, 6))
    assert (one["landed_at"], one["label_time"], one["late"]) == (utc(2013, 3, 10, 7, 3), utc(2013, 3, 10, 7, 3), 1.0)


def test_a_question_comes_before_anything_happens_and_its_label_after(timed: pd.DataFrame) -> None:
    assert len(timed) == 336_776
    assert timed["event_time"].is_monotonic_increasing
    assert not (timed["departed_at"] <= timed["event_time"]).any()
    assert not (timed["label_time"] <= timed["event_time"]).any()
    assert pd.Timedelta(hours=2) == QUESTION_LEAD


def test_cancelled_and_diverted_flights_have_no_label(timed: pd.DataFrame) -> None:
    unlabelled = timed["late"].isna()
    assert unlabelled.sum() == 9_430
    assert (timed["label_time"].isna() == unlabelled).all()
    cancelled, diverted = timed["departed_at"].isna(), unlabelled & timed["departed_at"].notna()
    assert (cancelled.sum(), diverted.sum()) == (8_255, 1_175)
    without_plane = timed["tailnum"].isna()
    assert without_plane.sum() == 2_512
    assert cancelled[without_plane].all()


def test_sources_are_written_with_their_types_and_again_the_same(tmp_path: Path) -> None:
    assert warehouse.write_sources(tmp_path / "a") == {
        "departures": 328_521,
        "landings": 327_346,
        "planes": 3_322,
        "weather": 26_115,
    }
    text, number = pa.string(), pa.float64()
    expected = {
        "departures": {"origin": text, "departed_at": MOMENT, "dep_delay": number},
        "landings": {
            **dict.fromkeys(("carrier", "origin", "dest", "tailnum"), text),
            "landed_at": MOMENT,
            "arr_delay": number,
            "late": number,
        },
        "planes": {
            "tailnum": text,
            "known_at": MOMENT,
            "year": number,
            "type": text,
            "manufacturer": text,
            "seats": number,
            "engine": text,
        },
        "weather": {
            "origin": text,
            "known_at": MOMENT,
            **dict.fromkeys(
                ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"), number
            ),
        },
    }
    found = {file.stem: pq.read_schema(file) for file in (tmp_path / "a").iterdir()}
    assert {name: dict(zip(one.names, one.types, strict=True)) for name, one in found.items()} == expected
    warehouse.write_sources(tmp_path / "b")
    digests = [
        [hashlib.sha256((tmp_path / folder / f"{name}.parquet").read_bytes()).hexdigest() for name in expected]
        for folder in "ab"
    ]
    assert digests[0] == digests[1]


def test_rows_come_when_they_become_known() -> None:
    for rows, moment in (
        (warehouse.departures(), "departed_at"),
        (warehouse.landings(), "landed_at"),
        (warehouse.weather(), "known_at"),
    ):
        assert rows[moment].is_monotonic_increasing
        assert rows[moment].notna().all()
    landings = warehouse.landings()
    assert landings["tailnum"].notna().all()
    assert ((landings["arr_delay"] >= 15) == (landings["late"] == 1.0)).all()
    # The package's first observation is of 6:00 UTC; it is known when that hour is over.
    assert warehouse.weather()["known_at"].min() == utc(2013, 1, 1, 7)
    assert (warehouse.planes()["known_at"] == utc(2012, 12, 31)).all()


def test_a_spine_has_the_questions_of_its_stretch() -> None:
    start = utc(2013, 3, 1)
    rows = warehouse.spine(start, start + timedelta(days=1))
    assert rows["event_time"].between(start, start + timedelta(days=1), inclusive="left").all()
    days = [warehouse.spine(start + timedelta(days=n), start + timedelta(days=n + 1)) for n in range(3)]
    whole = warehouse.spine(start, start + timedelta(days=3))
    pd.testing.assert_frame_equal(pd.concat(days, ignore_index=True), whole)
    schema = pq.read_schema(io.BytesIO(warehouse.parquet(rows)))
    assert dict(zip(schema.names, schema.types, strict=True)) == {
        **dict.fromkeys(("flight", "carrier", "origin", "dest", "tailnum"), pa.string()),
        "event_time": MOMENT,
        "late": pa.float64(),
        "label_time": MOMENT,
        **dict.fromkeys(SCHEDULE, pa.float32()),
    }


def test_nobody_changes_what_others_are_given() -> None:
    mine = warehouse.flights_timed()
    mine.loc[:, "late"] = 0.5
    assert set(warehouse.flights_timed()["late"].dropna()) == {0.0, 1.0}
