from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from services.monitor.domain.batch import Arm
from services.monitor.domain.figures import PerformanceWindow, auc
from services.monitor.domain.label import Label
from services.monitor.domain.performance import Pair, Sums, WindowKey, joined_sums

KEY = WindowKey(Arm("flight-delay", "flights", 3, "main"), 0, 1_000_000)


def exact_auc(rows: Sequence[tuple[float, int]]) -> float:
    positives = [score for score, label in rows if label]
    negatives = [score for score, label in rows if not label]
    wins = sum((p > n) + (p == n) / 2 for p in positives for n in negatives)
    return wins / len(positives) / len(negatives)


@pytest.mark.parametrize("seed", range(8))
def test_the_auc_of_bins_is_within_a_thousandth_of_the_exact_one(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    skill = seed / 8
    rows = []
    for _ in range(2000):
        label = int(rng.random() < 0.3)
        rows.append(
            (min(1.0, max(0.0, rng.betavariate(2, 3) * (1 - skill) + skill * rng.uniform(0.4, 1) * label)), label)
        )
    window = PerformanceWindow(KEY, joined_sums([Pair(score, 0, Label(label, 0)) for score, label in rows]))
    assert window.auc == pytest.approx(exact_auc(rows), abs=1e-3)


@pytest.mark.parametrize(
    ("negatives", "positives", "area"),
    [([1, 0], [0, 1], 1), ([0, 1], [1, 0], 0), ([2, 0], [3, 0], 0.5), ([1, 1], [0, 2], 0.75)],
)
def test_the_auc_of_a_few_bins(negatives: list[int], positives: list[int], area: float) -> None:
    assert auc(negatives, positives) == area


@pytest.mark.parametrize(("negatives", "positives"), [([0, 0], [0, 0]), ([3, 0], [0, 0]), ([0, 0], [0, 3])])
def test_one_class_alone_has_no_auc(negatives: list[int], positives: list[int]) -> None:
    assert auc(negatives, positives) is None


def test_figures_of_classes() -> None:
    rows = [(0.9, 1.0), (0.1, 0.0), (1.0, 1.0), (0.0, 0.0)]
    window = PerformanceWindow(KEY, joined_sums([Pair(score, 0, Label(value, 3_000_000)) for score, value in rows]))
    assert (window.classified, sum(window.positives), window.auc) == (4, 2, 1)
    assert window.log_loss == pytest.approx(-math.log(0.9) / 2, abs=1e-8)
    assert window.brier == pytest.approx(0.005, abs=1e-8)
    assert window.mean_label_delay_s == 3
    low, *_, high = window.calibration
    assert (low.lower, low.upper, high.lower, high.upper) == (0, 1 / 16, 15 / 16, 1)
    assert [(one.predictions, one.positive_rate) for one in window.calibration] == [(1, 0), (1, 0), (1, 1), (1, 1)]


def test_figures_of_amounts() -> None:
    window = PerformanceWindow(KEY, joined_sums([Pair(10, 0, Label(7, 0)), Pair(-2, 0, Label(2, 0))]))
    assert window.mean_absolute_error == pytest.approx(3.5)
    assert window.root_mean_squared_error == pytest.approx(math.sqrt(12.5))
    assert (window.classified, window.auc, window.log_loss, window.brier, window.calibration) == (
        0,
        None,
        None,
        None,
        [],
    )


def test_a_joined_prediction_without_a_score_has_no_figures() -> None:
    window = PerformanceWindow(KEY, joined_sums([Pair(None, 0, Label(1, 0))]))
    assert (window.sums.joined, window.sums.measured, window.classified) == (1, 0, 0)
    assert (window.mean_absolute_error, window.root_mean_squared_error) == (None, None)
    assert PerformanceWindow(KEY, Sums()).mean_label_delay_s is None
