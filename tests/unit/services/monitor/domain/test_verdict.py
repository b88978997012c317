from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.batch import Arm
from services.monitor.domain.endpoint import Endpoint, Rollout, ServingArm, Step
from services.monitor.domain.label import Label
from services.monitor.domain.prediction import Prediction
from services.monitor.domain.trial import Match, PairSums, Trial, added, trial_of
from services.monitor.domain.verdict import Decision, decide, interval, verdict

TRIAL = Trial("e", "r", 0, "m", 2, 1, 0.0, 0.05, 100, 10_000, None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def rows(candidate: float, baseline: float, event_us: int = 5) -> list[Prediction]:
    return [
        Prediction("a", Arm("e", "m", version, route), event_us, score, 100)
        for version, route, score in ((2, "candidate", candidate), (1, "main", baseline))
    ]


def sums(differences: Any) -> PairSums:
    billionths = np.rint(np.asarray(differences) * 1e9).astype(int)
    squares = np.rint(np.asarray(differences) ** 2 * 1e9).astype(int)
    return PairSums(len(billionths), int(billionths.sum()), int(squares.sum()), 9)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.5, 7.0])), max_size=20))
def test_sums_do_not_depend_on_how_pairs_are_split_and_come_out_again(
    told: list[tuple[float, float, float]],
) -> None:
    matches = [Match([], None, rows(one, other), Label(value, 9)) for one, other, value in told]
    whole = added(TRIAL, matches)
    parts = PairSums()
    for match in reversed(matches):
        parts = parts + added(TRIAL, [match])
    assert parts == whole
    assert whole.labels == len(told)
    rest = whole + -whole
    assert (rest.labels, rest.total, rest.squared, rest.candidate_bins, rest.baseline_bins) == (0, 0, 0, {}, {})


def test_a_correction_takes_the_old_pair_s_place() -> None:
    pair = rows(0.9, 0.4)
    first = added(TRIAL, [Match(pair, None, pair, Label(1.0, 8))])
    second = added(TRIAL, [Match(pair, Label(1.0, 8), pair, Label(0.0, 9))])
    assert first + second == added(TRIAL, [Match([], None, pair, Label(0.0, 9))])
    assert added(TRIAL, [Match(pair, Label(1.0, 8), pair, Label(1.0, 8))]) == PairSums()


def test_one_side_alone_or_an_earlier_moment_is_no_pair() -> None:
    assert added(TRIAL, [Match([], None, rows(0.9, 0.4)[:1], Label(1.0, 8))]) == PairSums()
    later = Trial("e", "r", 0, "m", 2, 1, 0.0, 0.05, 100, 10_000, 6)
    assert added(later, [Match([], None, rows(0.9, 0.4), Label(1.0, 8))]) == PairSums()
    assert added(later, [Match([], None, rows(0.9, 0.4, 6), Label(1.0, 8))]).labels == 1


@pytest.mark.parametrize(
    ("mean", "rows_", "margin", "decision"),
    [
        (-0.2, 99, 0.0, None),
        (-0.2, 400, 0.0, Decision.PROMOTE),
        (0.2, 400, 0.0, Decision.ROLL_BACK),
        (0.2, 400, 1.0, Decision.PROMOTE),
        (0.0, 400, 0.0, None),
        (0.0, 10_000, 0.0, Decision.INCONCLUSIVE),
        (0.5, 29, 0.0, None),
    ],
)
def test_a_decision_is_reached_when_the_sequence_leaves_the_margin(
    mean: float, rows_: int, margin: float, decision: Decision | None
) -> None:
    noise = np.where(np.arange(rows_) % 2, 0.2, -0.2)
    noise -= noise.mean()
    trial = Trial("e", "r", 0, "m", 2, 1, margin, 0.05, 100, 10_000, None)
    assert decide(trial, sums(noise + mean)) is decision
    assert decide(trial, PairSums()) is None


def test_versions_that_answer_alike_are_no_worse() -> None:
    said = verdict(TRIAL, sums([0.0] * 100), NOW)
    assert said is not None
    assert (said.decision, said.harm.upper, said.event_us) == (Decision.PROMOTE, 0.0, 9)
    assert "100 labels" in said.reason


def test_looking_after_every_label_rarely_promotes_what_is_no_better() -> None:
    """The true mean is the margin: whoever peeked at a plain interval of 95 % would be wrong in every third run."""
    rng = np.random.default_rng(5)
    wrong = 0
    for _ in range(200):
        told = np.cumsum(rng.normal(0, 0.3, 2_000)), np.cumsum(rng.normal(0, 0.3, 2_000) ** 2)
        for n in range(100, 2_000, 20):
            found = interval(TRIAL, PairSums(n, round(told[0][n - 1] * 1e9), round(told[1][n - 1] * 1e9)))
            if not found.lower <= 0 <= found.upper:
                wrong += 1
                break
    assert wrong <= 14


def test_a_trial_is_what_the_running_step_asks() -> None:
    steps = (Step(0, 0), Step(50, 60))
    rollout = Rollout("r", "m", 2, 1, True, 0, steps, 0.01, 0.0, 40)
    arms = (ServingArm("main", "m", 1, 75, False), ServingArm("candidate", "m", 2, 25, True))
    endpoint = Endpoint("e", 7, arms, rollout)
    assert trial_of(endpoint, 90) == Trial("e", "r", 0, "m", 2, 1, 0.01, 0.025, 100, 10_000, 40)
    later = Endpoint("e", 8, arms, Rollout("r", "m", 2, 1, True, 1, steps, 0.01, 0.1, 40))
    assert trial_of(later, 90) == Trial("e", "r", 1, "m", 2, 1, 0.01, 0.05, 50, 60, 90)
    ended = Endpoint("e", 9, arms, Rollout("r", "m", 2, 1, False, 2, steps, 0.01, 0.1, 40))
    assert trial_of(ended, 90) is None
    assert (endpoint.answering, ended.answering) == ({("m", 1)}, {("m", 1), ("m", 2)})
