from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.rollout import (
    ArmDisabled,
    Decision,
    Rollout,
    RolloutPlan,
    RolloutState,
    RolloutStep,
    Verdict,
    disable,
    end,
    judge,
)

NOW = datetime(2013, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
STEPS = 3
ROLLOUT = Rollout(
    id="r1",
    endpoint="late",
    number=1,
    model="m",
    candidate_version=2,
    baseline_version=1,
    alias="champion",
    main_route="main",
    main_weight=100,
    plan=RolloutPlan(tuple(RolloutStep(percent, 100, 1_000) for percent in (0, 25, 50))),
    state=RolloutState.RUNNING,
    step=0,
    reason="",
    create_time=NOW,
    update_time=NOW,
    start_revision=7,
)


def verdict(step: int, decision: Decision = Decision.PROMOTE, rollout: str = "r1") -> Verdict:
    return Verdict("late", rollout, step, decision, f"because of {step}", labels=100)


@pytest.mark.parametrize(
    ("at", "given_verdict", "state", "step"),
    [
        (0, verdict(0), RolloutState.RUNNING, 1),
        (1, verdict(1), RolloutState.RUNNING, 2),
        (2, verdict(2), RolloutState.SUCCEEDED, 3),
        (1, verdict(1, Decision.ROLL_BACK), RolloutState.ROLLED_BACK, 1),
        (2, verdict(2, Decision.INCONCLUSIVE), RolloutState.INCONCLUSIVE, 2),
    ],
)
def test_a_verdict_on_the_running_step(at: int, given_verdict: Verdict, state: RolloutState, step: int) -> None:
    after = judge(replace(ROLLOUT, step=at), given_verdict, LATER)
    assert after is not None
    assert (after.state, after.step, after.reason, after.update_time) == (state, step, given_verdict.reason, LATER)
    assert replace(after, state=ROLLOUT.state, step=0, reason="", update_time=NOW) == ROLLOUT


@pytest.mark.parametrize("labels", [0, 99])
def test_a_promotion_on_fewer_labels_than_the_step_asks_for_ends_it(labels: int) -> None:
    after = judge(replace(ROLLOUT, step=1), replace(verdict(1), labels=labels), LATER)
    assert after is not None
    assert (after.state, after.step) == (RolloutState.INCONCLUSIVE, 1)
    assert f"on {labels} labels where the step asks for 100" in after.reason


@pytest.mark.parametrize(
    "about", [verdict(0), verdict(2), verdict(1, rollout="r2"), verdict(1, Decision.ROLL_BACK, rollout="")]
)
def test_a_verdict_on_another_step_or_rollout_changes_nothing(about: Verdict) -> None:
    assert judge(replace(ROLLOUT, step=1), about, LATER) is None


@pytest.mark.parametrize("state", [state for state in RolloutState if state is not RolloutState.RUNNING])
def test_what_has_ended_stays_as_it_ended(state: RolloutState) -> None:
    ended = replace(ROLLOUT, state=state)
    assert judge(ended, verdict(0), LATER) is None
    assert end(ended, RolloutState.ROLLED_BACK, "again", LATER) is None
    assert disable(ended, ArmDisabled("late", "candidate", "m", 2, 9, "it fails"), LATER) is None


@pytest.mark.parametrize(
    ("model", "version", "revision", "ends"),
    [("m", 2, 7, True), ("m", 2, 9, True), ("m", 2, 6, False), ("m", 1, 9, False), ("n", 2, 9, False)],
)
def test_a_disabled_arm_ends_the_rollout_of_its_version_unless_it_is_older(
    model: str, version: int, revision: int, ends: bool
) -> None:
    after = disable(ROLLOUT, ArmDisabled("late", "candidate", model, version, revision, "it fails"), LATER)
    assert (after is not None) is ends
    if after:
        assert (after.state, after.reason, after.step) == (RolloutState.ROLLED_BACK, "it fails", 0)


FINDINGS = st.one_of(
    st.builds(verdict, st.integers(0, STEPS), st.sampled_from(Decision), st.sampled_from(["r1", "r1", "r1", "r2"])),
    st.builds(
        lambda version, revision: ArmDisabled("late", "candidate", "m", version, revision, "it fails"),
        st.integers(1, 2),
        st.integers(6, 8),
    ),
    st.just("cancel"),
)


def apply(rollout: Rollout, finding: Verdict | ArmDisabled | str) -> Rollout | None:
    if isinstance(finding, Verdict):
        return judge(rollout, finding, LATER)
    if isinstance(finding, ArmDisabled):
        return disable(rollout, finding, LATER)
    return end(rollout, RolloutState.ROLLED_BACK, finding, LATER)


@given(st.lists(FINDINGS, max_size=40).flatmap(lambda some: st.permutations(some + some[: len(some) // 2])))
def test_no_sequence_ends_twice_or_skips_a_step(findings: list[Verdict | ArmDisabled | str]) -> None:
    rollout, path = ROLLOUT, [(ROLLOUT.state, ROLLOUT.step)]
    for finding in findings:
        after = apply(rollout, finding)
        if after is None:
            continue
        assert rollout.running
        assert (after.id, after.plan, after.candidate_version) == (rollout.id, rollout.plan, rollout.candidate_version)
        rollout = after
        path.append((after.state, after.step))
    steps = [step for _, step in path]
    assert all(right - left in {0, 1} for left, right in pairwise(steps))
    assert len([state for state, _ in path if state is not RolloutState.RUNNING]) <= 1
    assert (rollout.state is RolloutState.SUCCEEDED) == (rollout.step == STEPS)
