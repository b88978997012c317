"""When things happened to a flight, in UTC: from local clocks, delays in minutes, and the zones of the airports."""

from __future__ import annotations

from functools import cache

import pandas as pd

from examples.flights.data import data_folder
from slipway.errors import invalid_field

MOMENT = "datetime64[us, UTC]"
QUESTION_LEAD = pd.Timedelta(hours=2)  # a flight is asked about so long before its scheduled departure

# The package's table of airports lacks these four, so it names no zone for them. All keep Atlantic time the year round.
_ZONES_LACKING = {
    "BQN": "America/Puerto_Rico",  # Aguadilla
    "PSE": "America/Puerto_Rico",  # Ponce
    "SJU": "America/Puerto_Rico",  # San Juan
    "STT": "America/St_Thomas",
}


@cache
def zones() -> dict[str, str]:
    """The IANA zone of each airport. Fails with Unavailable when the package is not installed."""
    known = pd.read_csv(data_folder() / "airports.csv", usecols=["faa", "tzone"]).dropna()
    return dict(zip(known["faa"], known["tzone"], strict=True)) | _ZONES_LACKING


def moments(rows: pd.DataFrame) -> pd.DataFrame:
    """Four moments of each flight of ``data.recorded``, on its index.

    ``event_time``: when its question is asked, two hours before its scheduled departure. ``departed_at`` and
    ``landed_at``: missing where it never departed, or never landed at its destination. ``scheduled_arrival``.
    """
    arrival = scheduled_arrival(rows)
    return pd.DataFrame(
        {
            "event_time": (rows["scheduled_departure"] - QUESTION_LEAD).astype(MOMENT),
            "departed_at": _later(rows["scheduled_departure"], rows["dep_delay"]),
            "scheduled_arrival": arrival,
            "landed_at": _later(arrival, rows["arr_delay"]),
        }
    )


def scheduled_arrival(rows: pd.DataFrame) -> pd.Series:
    """The first moment after ``scheduled_departure`` at which clocks at ``dest`` show ``sched_arr_time``.

    So a flight over midnight arrives on the next day, and no flight lasts a day. A time that clocks show twice when
    summer ends is taken the first time, one that they skip when it starts as the hour after. Fails with InvalidInput
    for an airport whose zone nobody named.
    """
    if unknown := sorted(set(rows["dest"]) - set(zones())):
        raise invalid_field("dest", f"{unknown[0]} has no zone; name it in examples/flights/times.py")
    zone = rows["dest"].map(zones())
    parts = [_arrival(part, str(name)) for name, part in rows.groupby(zone, sort=False)]
    if not parts:
        return pd.Series(index=rows.index, dtype=MOMENT)
    return pd.concat(parts).reindex(rows.index)


def _arrival(rows: pd.DataFrame, zone: str) -> pd.Series:
    departure = rows["scheduled_departure"]
    clock = rows["sched_arr_time"].astype("int64")
    time = pd.to_timedelta(clock // 100 * 60 + clock % 100, unit="min")
    day = departure.dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    same, following = (_moment(day + pd.Timedelta(days=days) + time, zone) for days in (0, 1))
    return same.where(same > departure, following).astype(MOMENT)


def _moment(local: pd.Series, zone: str) -> pd.Series:
    moments: pd.Series = local.dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").dt.tz_convert("UTC")
    return moments


def _later(start: pd.Series, minutes: pd.Series) -> pd.Series:
    # pandas computes with whatever lies in memory where a number is missing, and may then warn of an overflow.
    later = start + pd.to_timedelta(minutes.fillna(0.0), unit="min")
    return later.where(minutes.notna()).astype(MOMENT)
