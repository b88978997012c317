from __future__ import annotations

import pytest

from examples.flights import train


@pytest.fixture(scope="session")
def split() -> train.Split:
    return train.load()


@pytest.fixture(scope="session")
def trained(split: train.Split) -> train.Trained:
    return train.train(split.training)
