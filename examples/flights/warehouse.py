"""The flights as sources of features, rows at the moments they became known; and as questions with late labels.

Every moment is UTC in microseconds. Rows come in order of their moment, ties in a fixed order: the same package gives
the same bytes.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from examples.flights import data
from examples.flights.features import SCHEDULE, features
from examples.flights.times import MOMENT, moments
from slipway.durable import replace_file

_DAY = timedelta(days=1)  # more than a zone moves a date, and more than a question comes before its departure
_KEYS = ["carrier", "origin", "dest", "tailnum"]
_PLANES_KNOWN_AT = pd.Timestamp("2012-12-31", tz="UTC")  # the register is as old as the year
_WEATHER = ["temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
_PLANE_NUMBERS = ["year", "seats"]
_PLANE_TEXTS = ["type", "manufacturer", "engine"]


def departures() -> pd.DataFrame:
    """A row a flight that departed: ``origin``, ``departed_at``, ``dep_delay`` (minutes, below 0 if early)."""
    rows = _timed()
    rows = rows[rows["departed_at"].notna()]
    return _ordered(rows, "departed_at", ["origin", "departed_at", "dep_delay"])


def landings() -> pd.DataFrame:
    """A row a flight that landed at its destination.

    ``carrier``, ``origin``, ``dest``, ``tailnum``, ``landed_at``, ``arr_delay`` (minutes, below 0 if early) and
    ``late``: 1.0 if that is 15 or more, else 0.0. Each of these flights has a tail number.
    """
    rows = _timed()
    rows = rows[rows["landed_at"].notna()]
    return _ordered(rows, "landed_at", [*_KEYS, "landed_at", "arr_delay", "late"])


def planes() -> pd.DataFrame:
    """A row a plane of the register, which names five of six planes.

    ``tailnum``, ``known_at``, ``year`` (70 rows lack it), ``type``, ``manufacturer``, ``seats``, ``engine``.
    """
    columns = ["tailnum", "year", "type", "manufacturer", "seats", "engine"]
    kinds = dict.fromkeys(["tailnum", *_PLANE_TEXTS], "string") | dict.fromkeys(_PLANE_NUMBERS, "float64")
    rows = pd.read_csv(data.data_folder() / "planes.csv", usecols=columns, dtype=kinds)
    rows["known_at"] = pd.Series(_PLANES_KNOWN_AT, index=rows.index).astype(MOMENT)
    return _ordered(rows, "known_at", ["tailnum", "known_at", *columns[1:]])


def weather() -> pd.DataFrame:
    """A row an hour's observation: ``origin``, ``known_at`` (the hour's end), and what was measured.

    ``temp`` and ``dewp`` (degrees Fahrenheit), ``humid`` (percent), ``wind_speed`` and ``wind_gust`` (miles an hour;
    gusts are missing where there were none), ``precip`` (inches), ``pressure`` (millibars), ``visib`` (miles).
    """
    kinds = dict.fromkeys(["origin", "time_hour"], "string") | dict.fromkeys(_WEATHER, "float64")
    rows = pd.read_csv(data.data_folder() / "weather.csv", usecols=list(kinds), dtype=kinds)
    rows["known_at"] = (pd.to_datetime(rows["time_hour"], utc=True) + pd.Timedelta(hours=1)).astype(MOMENT)
    return _ordered(rows, "known_at", ["origin", "known_at", *_WEATHER])


def flights_timed() -> pd.DataFrame:
    """Every scheduled flight of the year, in order of its question.

    ``flight``: its key, such as ``UA1545-2013-01-01-EWR`` (carrier, number, local date, origin). ``carrier``,
    ``origin``, ``dest``, ``tailnum``. ``event_time``: when it is asked about. ``departed_at`` and ``landed_at``:
    missing where it never happened. The schedule's features, as ``features`` tells them. ``late``: 1.0 or 0.0;
    missing for the cancelled and diverted. ``label_time``: when that became known, which is ``landed_at``.

    2,512 cancelled flights have no ``tailnum``: it is missing here too, so that a reader who finds features by it
    finds none, online as offline. None of them departed, hence none has a label.
    """
    columns = ["flight", *_KEYS, "event_time", "departed_at", "landed_at", *SCHEDULE, "late", "label_time"]
    return _timed()[columns].copy()


def spine(start: datetime, end: datetime) -> pd.DataFrame:
    """The questions of a training set: flights asked about from ``start``, included, to ``end``, excluded.

    ``flight``, the four entities, ``event_time``, ``late``, ``label_time`` and the schedule's features. Flights
    without a label are there, for coverage.
    """
    rows = _timed(_months(start, end))
    rows = rows[(rows["event_time"] >= start) & (rows["event_time"] < end)]
    return rows[["flight", *_KEYS, "event_time", "late", "label_time", *SCHEDULE]].reset_index(drop=True)


def parquet(rows: pd.DataFrame) -> bytes:
    """Rows as Parquet: the same rows give the same bytes. Missing texts, numbers and moments are nulls."""
    sink = io.BytesIO()
    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def write_sources(folder: Path) -> dict[str, int]:
    """Write each source to ``folder`` as ``<name>.parquet``, each whole or not at all; gives their numbers of rows."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for source in (departures, landings, planes, weather):
        rows = source()
        replace_file(folder / f"{source.__name__}.parquet", parquet(rows))
        counts[source.__name__] = len(rows)
    return counts


def _months(start: datetime, end: datetime) -> tuple[int, ...]:
    """The local months whose flights may be asked about then; all where there are none, which is as few rows."""
    firsts = [datetime(data.YEAR + (month > 12), (month - 1) % 12 + 1, 1, tzinfo=UTC) for month in range(1, 14)]
    asked = (month for month in data.MONTHS if firsts[month - 1] - _DAY < end and start < firsts[month] + _DAY)
    return tuple(asked) or tuple(data.MONTHS)


@cache
def _timed(months: tuple[int, ...] = tuple(data.MONTHS)) -> pd.DataFrame:
    """What all sources of flights are taken from, of some months. Nobody may change it."""
    rows = data.recorded(months)
    rows = pd.concat([rows.drop(columns="month"), moments(rows), features(rows)[list(SCHEDULE)]], axis=1)
    rows["flight"] = rows["carrier"] + rows["flight"].astype("string") + "-" + rows["date"] + "-" + rows["origin"]
    rows = rows.astype({"dep_delay": "float64", "arr_delay": "float64", "late": "float64", "flight": "string"})
    rows["label_time"] = rows["landed_at"]
    return rows.sort_values(["event_time", "flight"], ignore_index=True)


def _ordered(rows: pd.DataFrame, moment: str, columns: list[str]) -> pd.DataFrame:
    return rows.sort_values([moment, *(name for name in columns if name != moment)], ignore_index=True)[columns]
