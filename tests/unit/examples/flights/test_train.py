from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from examples.flights import figures, train
from examples.flights.features import CATEGORIES, NUMBERS
from slipway.errors import InvalidInput

Split = tuple[pd.DataFrame, pd.DataFrame]


def test_the_trees_beat_the_constant_rate(split: Split, trained: train.Trained) -> None:
    later = split[1]
    found = figures.judge(train.scores(trained, later), later["late"].to_numpy(dtype=float), trained.baseline_rate)
    assert found.log_loss < found.baseline_log_loss
    assert found.auc > 0.6
    assert found.labelled_rows == later["late"].notna().sum() < found.rows == len(later)
    assert found.coverage == pytest.approx(found.labelled_rows / found.rows)
    assert sum(part.rows for part in found.calibration) == found.labelled_rows
    scores = [part.mean_score for part in found.calibration]
    assert scores == sorted(scores)
    assert found.metrics()["evaluation_rows"] == found.labelled_rows


def test_the_same_rows_give_the_same_trees(rows: pd.DataFrame) -> None:
    first, again = (train.train(rows[:5_000].copy(), CATEGORIES, NUMBERS, 5) for _ in range(2))
    assert first.booster.model_to_string() == again.booster.model_to_string()


def test_any_columns_can_be_trained_on(rows: pd.DataFrame) -> None:
    table = rows[:5_000].assign(rolling=rows["late"].fillna(0) + np.arange(len(rows))[:5_000].mean())
    found = train.train(table, ["carrier"], ["rolling"], 5)
    assert [column.name for column in found.columns] == ["carrier", "rolling"]
    shares = train.importance(found)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["rolling"] > 0.9


def test_vocabularies_come_from_the_training_rows(split: Split, trained: train.Trained) -> None:
    carrier = trained.columns[0]
    assert carrier.vocabulary == tuple(sorted(set(split[0]["carrier"])))
    assert trained.booster.feature_name() == [column.name for column in trained.columns]


def test_scores_out_of_fold_come_from_models_that_saw_no_row_of_the_block() -> None:
    table = pd.DataFrame({"block": np.repeat(np.arange(10), 3), "late": [0.0, 1.0, 0.0] * 10})
    seen: list[set[int]] = []

    def fitted(rows: pd.DataFrame) -> object:
        known = set(rows["block"])
        seen.append(known)

        def score(others: pd.DataFrame) -> np.ndarray:
            assert not known & set(others["block"])
            return others["block"].to_numpy(dtype=float)

        return score

    told = train.out_of_fold(table, table["block"].to_numpy(), fitted, 4)  # type: ignore[arg-type]
    assert told.tolist() == table["block"].tolist()
    assert len(seen) == 4
    with pytest.raises(InvalidInput, match="blocks"):
        train.out_of_fold(table[:3], table["block"][:3].to_numpy(), fitted)  # type: ignore[arg-type]


@pytest.mark.parametrize("labels", [[0.0, 0.0], [np.nan, np.nan]])
def test_rows_without_both_labels_are_refused(rows: pd.DataFrame, labels: list[float]) -> None:
    with pytest.raises(InvalidInput, match="rows"):
        train.train(rows[:2].assign(late=labels), CATEGORIES, NUMBERS)


def test_judging_on_nothing_known_is_refused() -> None:
    with pytest.raises(InvalidInput, match="rows"):
        figures.judge(np.array([0.5]), np.array([np.nan]), 0.2)


@pytest.mark.parametrize(
    ("scores", "late", "expected"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 1.0),
        ([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1], 0.0),
        ([0.5, 0.5, 0.5, 0.5], [0, 0, 1, 1], 0.5),
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 0.75),
    ],
)
def test_auc(scores: list[float], late: list[int], expected: float) -> None:
    assert figures.auc(np.array(scores), np.array(late, dtype=float)) == expected


def test_auc_of_one_kind_is_unknown() -> None:
    assert np.isnan(figures.auc(np.array([0.1, 0.2]), np.array([1.0, 1.0])))


def test_log_loss_is_in_nats_and_survives_certainty() -> None:
    assert figures.log_loss(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == pytest.approx(np.log(2))
    assert np.isfinite(figures.log_loss(np.array([0.0, 1.0]), np.array([1.0, 0.0])))
