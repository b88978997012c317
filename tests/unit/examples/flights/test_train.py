from __future__ import annotations

import numpy as np
import pytest

from examples.flights import train
from slipway.errors import InvalidInput


def test_the_split_is_by_time(split: train.Split) -> None:
    assert split.training["date"].max() < train.EVALUATION_FROM <= split.evaluation["date"].min()
    assert split.evaluation["date"].max() == "2013-03-31"
    assert len(split.training) + len(split.evaluation) == 80_789


def test_the_model_beats_the_constant_rate(split: train.Split, trained: train.Trained) -> None:
    evaluation = train.evaluate(trained, split.evaluation)
    assert evaluation.log_loss < evaluation.baseline_log_loss
    assert evaluation.brier < evaluation.baseline_brier
    assert evaluation.auc > 0.6
    assert evaluation.labelled_rows == 12_836
    assert evaluation.coverage == pytest.approx(12_836 / 13_097)
    assert sum(part.rows for part in evaluation.calibration) == evaluation.labelled_rows
    scores = [part.mean_score for part in evaluation.calibration]
    assert scores == sorted(scores)
    assert evaluation.calibration[-1].late_rate > 2 * evaluation.calibration[0].late_rate


def test_the_same_rows_give_the_same_model(split: train.Split) -> None:
    rows = split.training[:20_000]
    assert train.train(rows, 5).booster.model_to_string() == train.train(rows.copy(), 5).booster.model_to_string()


def test_vocabularies_come_from_the_training_rows(split: train.Split, trained: train.Trained) -> None:
    carrier = trained.columns[0]
    assert carrier.vocabulary == tuple(sorted(set(split.training["carrier"])))
    assert trained.booster.feature_name() == [column.name for column in trained.columns]


@pytest.mark.parametrize("labels", [[0.0, 0.0], [np.nan, np.nan]])
def test_rows_without_both_labels_are_refused(split: train.Split, labels: list[float]) -> None:
    with pytest.raises(InvalidInput, match="rows"):
        train.train(split.training[:2].assign(late=labels))


def test_evaluating_on_nothing_known_is_refused(split: train.Split, trained: train.Trained) -> None:
    with pytest.raises(InvalidInput, match="rows"):
        train.evaluate(trained, split.evaluation[:5].assign(late=np.nan))


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
    assert train.auc(np.array(scores), np.array(late, dtype=float)) == expected


def test_auc_of_one_kind_is_unknown() -> None:
    assert np.isnan(train.auc(np.array([0.1, 0.2]), np.array([1.0, 1.0])))


def test_log_loss_is_in_nats_and_survives_certainty() -> None:
    assert train.log_loss(np.array([0.5, 0.5]), np.array([0.0, 1.0])) == pytest.approx(np.log(2))
    assert np.isfinite(train.log_loss(np.array([0.0, 1.0]), np.array([1.0, 0.0])))
