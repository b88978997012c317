from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.codec.columns import decode_features, encode_features
from services.monitor.domain.baseline import Baseline, FeatureBaseline
from services.monitor.domain.batch import Arm, Batch, tally
from services.monitor.domain.columns import Column
from services.monitor.domain.feature import count_features
from services.monitor.domain.merged import merged
from services.monitor.domain.prediction import Prediction, predictions_of

ARMS = [Arm("e", "m", 1, "main"), Arm("e", "m", 2, "other"), Arm("e", "m", 1, "canary")]
FEATURES = (
    FeatureBaseline("distance", 0.5, (0.0, 10.0), (), (1, 1, 1), 0, 0.1),
    FeatureBaseline("carrier", 0.5, (), ("AA", "UA"), (1, 1, 1), 0, 0.1),
    FeatureBaseline("either", 0.5, (), ("AA",), (1, 1), 0, 0.1),
)
BASELINES = {("m", version): Baseline("m", version, FEATURES) for version in (1, 2)}
WINDOW_US = 100
NUMBERS = st.sampled_from([-1.0, 5.0, 50.0, float("nan")])
TEXTS = st.sampled_from(["AA", "UA", "DL", "", None])


@st.composite
def columns(draw: st.DrawFn, rows: int) -> dict[str, Column]:
    """Some features, in any order; one of them holds numbers in one batch and texts in another."""
    kinds = {"distance": st.just(False), "carrier": st.just(True), "either": st.booleans()}
    names = draw(st.permutations(sorted(kinds)))[: draw(st.integers(0, 3))]
    made = {}
    for name in names:
        if draw(kinds[name]):
            made[name] = Column(draw(st.lists(TEXTS, min_size=rows, max_size=rows)))
        else:
            made[name] = Column(np.array(draw(st.lists(NUMBERS, min_size=rows, max_size=rows)), dtype=np.float64))
    return made


@st.composite
def batches(draw: st.DrawFn) -> list[Batch]:
    made = []
    for place in range(draw(st.integers(0, 12))):
        rows, shadow = draw(st.integers(0, 3)), draw(st.booleans())
        ids = draw(st.lists(st.sampled_from("abcdefgh"), min_size=rows, max_size=rows))
        times = draw(st.lists(st.integers(-150, 150), min_size=rows, max_size=rows))
        scores = draw(st.one_of(st.just([]), st.lists(NUMBERS, min_size=rows, max_size=rows)))
        features = {} if shadow else draw(columns(rows))
        made.append(Batch(f"e#{place}", draw(st.sampled_from(ARMS)), ids, times, scores, shadow, features))
    return made


def rows_by_arm(given: Sequence[Batch]) -> dict[Arm, list[Prediction]]:
    found: defaultdict[Arm, list[Prediction]] = defaultdict(list)
    for row in predictions_of(given, WINDOW_US):
        found[row.arm].append(row)
    return dict(found)


def answered(given: Sequence[Batch]) -> list[Batch]:
    return [batch for batch in given if not batch.shadow]


@given(batches())
def test_what_is_counted_of_merged_batches_is_the_same(given: list[Batch]) -> None:
    made = merged(given)
    assert tally(answered(made), WINDOW_US) == tally(answered(given), WINDOW_US)
    assert rows_by_arm(made) == rows_by_arm(given)
    seen = count_features(answered(given), BASELINES, WINDOW_US)
    assert count_features(answered(made), BASELINES, WINDOW_US) == seen
    waited = [decode_features(one.event_id, encode_features(one)) for one in answered(made)]
    assert count_features(waited, BASELINES, WINDOW_US) == seen
    firsts = {one.event_id: one for one in given}
    for batch in made:
        first = firsts[batch.event_id]
        assert (batch.arm, batch.shadow, first.prediction_ids) == (
            first.arm,
            first.shadow,
            list(batch.prediction_ids)[: len(first.prediction_ids)],
        )
    assert len({one.event_id for one in made}) == len(made)


def plain(place: int, arm: Arm = ARMS[0], **changes: object) -> Batch:
    given = {"scores": [0.5], "features": {"distance": Column(np.array([float(place)]))}, **changes}
    return Batch(f"e#{place}", arm, [f"p{place}"], [place], **given)  # type: ignore[arg-type]


def test_those_of_an_arm_are_one_whatever_stands_between_them() -> None:
    found = merged([plain(0), plain(1, ARMS[1]), plain(2), plain(3, ARMS[1])])
    assert [(one.event_id, one.prediction_ids, one.event_times_us) for one in found] == [
        ("e#0", ["p0", "p2"], [0, 2]),
        ("e#1", ["p1", "p3"], [1, 3]),
    ]
    distance = found[0].features["distance"].values
    assert isinstance(distance, np.ndarray)
    assert (found[0].scores, distance.tolist()) == ([0.5, 0.5], [0.0, 2.0])


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": []},
        {"shadow": True},
        {"features": {}},
        {"features": {"distance": Column(["far"])}},
        {"features": {"other": Column(np.array([1.0]))}},
    ],
)
def test_those_of_other_kinds_stay_apart(changes: dict[str, object]) -> None:
    found = merged([plain(0), plain(1, **changes), plain(2)])
    assert [one.event_id for one in found] == ["e#0", "e#1", "e#2"]


def test_one_alone_is_itself() -> None:
    alone = plain(0)
    assert merged([alone])[0] is alone
    assert merged([]) == []
