from __future__ import annotations

import pandas as pd
import pytest

from examples.flights import data, train
from examples.flights.features import CATEGORIES, NUMBERS, features


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    """What is known of the flights of January, by their schedules and planes, and which were late."""
    flights = data.flights([1])
    return features(flights).assign(late=flights["late"], event_time=flights["scheduled_departure"])


@pytest.fixture(scope="session")
def split(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return rows[:20_000].reset_index(drop=True), rows[20_000:].reset_index(drop=True)


@pytest.fixture(scope="session")
def trained(split: tuple[pd.DataFrame, pd.DataFrame]) -> train.Trained:
    return train.train(split[0], CATEGORIES, NUMBERS, 60)
