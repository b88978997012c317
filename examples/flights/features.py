"""What is known of a flight two hours before its scheduled departure: its schedule and its plane."""

from __future__ import annotations

import pandas as pd

CATEGORIES = ("carrier", "origin", "dest", "plane_type", "plane_engine", "plane_manufacturer")
NUMBERS = (
    "departure_minute",
    "departure_hour",
    "scheduled_minutes",
    "month",
    "day_of_week",
    "distance_miles",
    "plane_year",
    "plane_seats",
)
# Those of NUMBERS that the timetable alone tells.
SCHEDULE = ("departure_minute", "departure_hour", "scheduled_minutes", "month", "day_of_week", "distance_miles")
# What whoever asks a model must tell, for no view holds it. Not the month: of three, none of the others can be learned.
REQUEST = ("carrier", "origin", "dest", *(name for name in SCHEDULE if name != "month"))
_DAY_MINUTES = 24 * 60


def features(flights: pd.DataFrame) -> pd.DataFrame:
    """The feature columns of each flight, in the flights' order; text is missing as None, a number as NaN.

    ``departure_minute``: scheduled departure in minutes of the local day; ``departure_hour``: its hour.
    ``scheduled_minutes``: from scheduled departure to scheduled arrival by the clocks on the two walls, so
    with the zones' difference in it, which is the same for all flights between two airports but for the
    change to summer time. ``day_of_week``: 1 for Monday to 7.
    """
    departure = _minute_of_day(flights["sched_dep_time"])
    arrival = _minute_of_day(flights["sched_arr_time"])
    table = pd.DataFrame({name: flights[name] for name in CATEGORIES})
    table = table.astype(object).where(table.notna(), None)
    numbers = {
        "departure_minute": departure,
        "departure_hour": departure // 60,
        "scheduled_minutes": (arrival - departure) % _DAY_MINUTES,
        "month": flights["month"],
        "day_of_week": pd.to_datetime(flights["date"]).dt.dayofweek + 1,
        "distance_miles": flights["distance"],
        "plane_year": flights["plane_year"],
        "plane_seats": flights["plane_seats"],
    }
    return table.assign(**{name: values.astype("float32") for name, values in numbers.items()})


def _minute_of_day(clock: pd.Series) -> pd.Series:
    """Minutes of the day from HHMM; 2400 is the next day's 0."""
    minutes: pd.Series = (clock // 100 * 60 + clock % 100) % _DAY_MINUTES
    return minutes
