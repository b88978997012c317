from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.training_scheduler.domain import progress
from services.training_scheduler.domain.errors import Fenced
from services.training_scheduler.domain.rules import check_run_id, outdated, ready, shorten
from services.training_scheduler.domain.run import AttemptState, Run, RunState, StepState
from services.training_scheduler.domain.workflow import StepSpec, WorkflowSpec
from slipway.errors import InvalidInput

NOW = datetime(2013, 1, 1, tzinfo=UTC)
DIGEST = "sha256:" + "0" * 64
SPEC = WorkflowSpec(
    "diamond",
    "",
    (),
    (StepSpec("a"), StepSpec("b", ("a",)), StepSpec("c", ("a",)), StepSpec("d", ("b", "c"))),
    "sha256:1",
)


def begun() -> Run:
    return progress.begin(progress.accept("run-1", SPEC, {}, NOW), SPEC)


def done(run: Run, name: str) -> Run:
    return progress.succeed(progress.begin_attempt(run, name, f"t-{name}", NOW), f"t-{name}", DIGEST, {}, NOW)


def states(run: Run) -> list[str]:
    return [step.state.value for step in run.steps]


def test_steps_are_ready_when_their_inputs_are_there() -> None:
    run = progress.accept("run-1", SPEC, {}, NOW)
    assert ready(run, SPEC) == ()
    run = begun()
    assert ready(run, SPEC) == ("a",)
    run = done(run, "a")
    assert ready(run, SPEC) == ("b", "c")
    run = progress.begin_attempt(run, "b", "t", NOW)
    assert ready(run, SPEC) == ("c",)


def test_with_its_last_step_the_run_succeeds() -> None:
    run = begun()
    for name in "abc":
        run = done(run, name)
        assert run.state is RunState.RUNNING
    run = done(run, "d")
    assert (run.state, run.finish_time, states(run)) == (RunState.SUCCEEDED, NOW, ["SUCCEEDED"] * 4)
    assert run.step("d").output_digest == DIGEST


def test_a_failed_attempt_is_followed_by_another_until_they_are_used_up() -> None:
    run = begun()
    for number in (1, 2):
        run = progress.fail_attempt(progress.begin_attempt(run, "a", f"t{number}", NOW), f"t{number}", "no", 2, NOW)
    assert (run.state, run.error) == (RunState.FAILED, "step 'a' failed in 2 attempts: no")
    assert states(run) == ["FAILED", "SKIPPED", "SKIPPED", "SKIPPED"]
    assert [one.number for one in run.step("a").attempts] == [1, 2]


def test_a_failure_ends_what_runs_beside_it() -> None:
    run = progress.begin_attempt(progress.begin_attempt(done(begun(), "a"), "b", "tb", NOW), "c", "tc", NOW)
    run = progress.fail_attempt(run, "tb", "no", 1, NOW)
    assert states(run) == ["SUCCEEDED", "FAILED", "SKIPPED", "SKIPPED"]
    assert run.step("c").attempts[-1].state is AttemptState.FENCED
    with pytest.raises(Fenced):
        progress.succeed(run, "tc", DIGEST, {}, NOW)


def test_taking_over_loses_running_attempts_and_keeps_what_succeeded() -> None:
    run = progress.begin_attempt(done(begun(), "a"), "b", "tb", NOW)
    run = progress.take_over(run, 3, NOW)
    assert states(run) == ["SUCCEEDED", "WAITING", "WAITING", "WAITING"]
    again = progress.begin_attempt(run, "b", "new", NOW)
    assert again.step("b").attempts[-1].number == 2
    with pytest.raises(Fenced):
        progress.succeed(again, "tb", DIGEST, {}, NOW)
    assert progress.take_over(again, 2, NOW).state is RunState.FAILED
    assert "process died" in progress.take_over(again, 2, NOW).error


def test_a_released_attempt_does_not_count() -> None:
    run = begun()
    for number in range(5):
        run = progress.release(progress.begin_attempt(run, "a", f"t{number}", NOW), f"t{number}")
    assert (run.state, run.step("a").spent, len(run.step("a").attempts)) == (RunState.RUNNING, 0, 5)


def test_a_cancelled_run_stays_so_and_fences_its_attempts() -> None:
    run = progress.begin_attempt(begun(), "a", "t", NOW)
    cancelled = progress.cancel(run, NOW)
    assert (cancelled.state, states(cancelled)) == (RunState.CANCELLED, ["SKIPPED"] * 4)
    assert progress.cancel(cancelled, NOW) is cancelled
    late: list[Callable[[], Run]] = [
        lambda: progress.succeed(cancelled, "t", DIGEST, {}, NOW),
        lambda: progress.fail_attempt(cancelled, "t", "no", 3, NOW),
        lambda: progress.release(cancelled, "t"),
        lambda: progress.begin(cancelled, SPEC),
        lambda: progress.begin_attempt(cancelled, "a", "u", NOW),
        lambda: progress.take_over(cancelled, 3, NOW),
        lambda: progress.fail(cancelled, "no", NOW),
    ]
    for attempt in late:
        with pytest.raises(Fenced):
            attempt()
    done_run = begun()
    for name in "abcd":
        done_run = done(done_run, name)
    assert progress.cancel(done_run, NOW) is done_run


def happens(run: Run, what: str, place: int, number: int) -> Run:
    names = ready(run, SPEC)
    held = [step.attempts[-1].token for step in run.steps if step.state is StepState.RUNNING]
    token = held[place % len(held)] if held else "stale"
    if what == "start":
        return progress.begin_attempt(run, names[place % len(names)] if names else "a", f"t{number}", NOW)
    if what == "succeed":
        return progress.succeed(run, token, DIGEST, {}, NOW)
    if what == "fail":
        return progress.fail_attempt(run, token, "no", 3, NOW)
    if what == "die":
        return progress.take_over(run, 3, NOW)
    return progress.release(run, token) if what == "release" else progress.cancel(run, NOW)


EVENTS = ["start", "start", "succeed", "succeed", "fail", "die", "release", "cancel"]


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 3)), max_size=40))
def test_whatever_happens_a_run_ends_once_and_a_success_is_never_undone(events: list[tuple[str, int]]) -> None:
    run = begun()
    for number, (what, place) in enumerate(events):
        before = run
        with contextlib.suppress(Fenced):
            run = happens(before, what, place, number)
        if before.final:
            assert run == before
        for was, now in zip(before.steps, run.steps, strict=True):
            assert was.state is not StepState.SUCCEEDED or now == was
            assert len(now.attempts) >= len(was.attempts)
            assert now.spent <= 3
        assert run.final == (run.finish_time is not None)
        assert not run.final or not any(one.state in {StepState.RUNNING, StepState.WAITING} for one in run.steps)


def test_a_run_goes_on_only_with_the_code_it_began_with() -> None:
    assert outdated(begun(), SPEC) == ""
    assert "no longer configured" in outdated(begun(), None)
    other = WorkflowSpec("diamond", "", (), SPEC.steps, "sha256:2")
    assert "changed while the run was under way" in outdated(begun(), other)


def test_errors_are_kept_short_and_printable() -> None:
    assert shorten("a\x00b\x1b[31m\nc") == "a b [31m\nc"
    assert len(shorten("x" * 10_000)) == 2_000


@pytest.mark.parametrize("bad", ["", "run-", "run-XYZ", "../../etc", "run-" + "0" * 17, "run-" + "0" * 15 + "\n"])
def test_an_id_that_no_scheduler_gave_is_refused(bad: str) -> None:
    with pytest.raises(InvalidInput, match="run_id"):
        check_run_id(bad)


def test_what_is_told_again_because_its_answer_was_lost_changes_nothing() -> None:
    running = progress.begin_attempt(begun(), "a", "ta", NOW)
    assert progress.begin_attempt(running, "a", "ta", NOW) == running
    ended = progress.succeed(running, "ta", "digest", {}, NOW)
    assert progress.succeed(ended, "ta", "digest", {}, NOW) == ended
    with pytest.raises(Fenced):
        progress.begin_attempt(running, "a", "another", NOW)
    with pytest.raises(Fenced):
        progress.succeed(ended, "another", "digest", {}, NOW)
