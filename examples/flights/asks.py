"""Real flights as questions to a served model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from examples.flights.data import flights
from examples.flights.features import CATEGORIES, NUMBERS, features

BEFORE_DEPARTURE = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Ask:
    """One flight two hours before its scheduled departure.

    ``entity`` is {"flight": "<carrier><number>-<local date>-<origin>"}; ``event_time`` is aware, in UTC; ``features``
    has each column's value, None where it is missing; ``late`` is the truth, None if it never arrived.
    """

    entity: dict[str, str]
    event_time: datetime
    features: dict[str, str | float | None]
    late: bool | None


def asks(count: int, *, months: Collection[int] = range(4, 13), seed: int = 2013) -> list[Ask]:
    """That many flights of those months, drawn by ``seed``, in order of their event time."""
    rows = flights(months)
    rows = rows.sample(min(count, len(rows)), random_state=seed).sort_index().reset_index(drop=True)
    table = features(rows)[[*CATEGORIES, *NUMBERS]].astype(object)
    values = table.where(table.notna(), None).to_dict("records")
    return [_ask(row, cells) for row, cells in zip(rows.to_dict("records"), values, strict=True)]


def _ask(row: dict[str, object], cells: dict[str, str | float | None]) -> Ask:
    departure, late = row["scheduled_departure"], row["late"]
    return Ask(
        entity={"flight": f"{row['carrier']}{row['flight']}-{row['date']}-{row['origin']}"},
        event_time=pd.Timestamp(departure).to_pydatetime() - BEFORE_DEPARTURE,
        features=cells,
        late=None if pd.isna(late) else bool(late),
    )
