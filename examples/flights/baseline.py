"""What serving is held against: the training data from week to week, and scores of weeks that were not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from examples.flights.rivals import scorer
from examples.flights.train import LABEL, Fit, out_of_fold
from slipway.client import Baseline, PerformanceBaseline
from slipway.drift import measure, performance_baseline
from slipway.workflow import storable

WEEK = timedelta(days=7)
_MICROSECOND = timedelta(microseconds=1)
_NEVER = 2**62
Inputs = tuple[Sequence[str], Sequence[str]]

storable(
    timedelta,
    dump=lambda stretch: str(stretch // _MICROSECOND).encode(),
    load=lambda data: int(data) * _MICROSECOND,
)


def training_baseline(table: pd.DataFrame, kind: str, inputs: Inputs, rounds: int, folds: int) -> Baseline:
    """The baseline of a model of this kind that is fitted on ``table``'s labelled rows; no feature is weighed yet.

    ``inputs`` are its columns: texts, numbers. Only whole weeks tell how weeks differ: two days of January would
    stand for a week that never was.
    """
    texts, numbers = inputs
    rows = table[table[LABEL].notna()]
    whole = whole_blocks(_moments(rows))
    rows_of_weeks = rows[whole] if whole.any() else rows
    return measure(
        {name: rows_of_weeks[name].to_numpy() for name in (*texts, *numbers)},
        dict.fromkeys(texts, "text") | dict.fromkeys(numbers, "number"),
        _moments(rows_of_weeks),
        {},
        block=WEEK,
        performance=_performance(rows, scorer(kind, inputs, rounds), folds),
    )


def weighed(baseline: Baseline, importance: Mapping[str, float]) -> Baseline:
    """The baseline with each feature's share of what matters to the model."""
    features = (replace(one, importance=importance.get(one.name, 0.0)) for one in baseline.features)
    return replace(baseline, features=tuple(features))


def whole_blocks(moments: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
    """Which of the moments lie neither in their first week nor in their last."""
    weeks = _weeks(moments)
    inside: npt.NDArray[np.bool_] = (weeks > np.min(weeks, initial=_NEVER)) & (weeks < np.max(weeks, initial=-_NEVER))
    return inside


def _performance(rows: pd.DataFrame, fit: Fit, folds: int) -> PerformanceBaseline | None:
    moments = _moments(rows)
    whole = whole_blocks(moments)
    if not whole.any():
        return None
    told = out_of_fold(rows, _weeks(moments), fit, folds)
    late = rows[LABEL].to_numpy(dtype=np.float64)
    return performance_baseline(told[whole], late[whole], moments[whole], block=WEEK)


def _weeks(moments: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    return moments.astype("datetime64[us]").astype(np.int64) // (WEEK // _MICROSECOND)


def _moments(rows: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    utc = rows["event_time"].dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(utc, dtype="datetime64[us]")
