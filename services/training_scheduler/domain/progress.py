"""What may become of a run: each function takes one as it stands and gives it as it stands then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.training_scheduler.domain.errors import Fenced
from services.training_scheduler.domain.rules import shorten
from services.training_scheduler.domain.run import Attempt, AttemptState, Run, RunState, Step, StepState
from services.training_scheduler.domain.workflow import WorkflowSpec

_LOST = "the scheduler's process died while it ran"


def accept(run_id: str, spec: WorkflowSpec, params: Mapping[str, Any], now: datetime) -> Run:
    """A new run in the queue."""
    return Run(run_id, spec.name, spec.code_digest, params, RunState.QUEUED, _steps(spec), now)


def begin(run: Run, spec: WorkflowSpec) -> Run:
    """A queued run gets its turn, with the code there is now. Raises Fenced when it has ended."""
    _require(run, run.state is RunState.QUEUED, "the start")
    return replace(run, state=RunState.RUNNING, code_digest=spec.code_digest, steps=_steps(spec))


def begin_attempt(run: Run, name: str, token: str, now: datetime) -> Run:
    """A waiting step gets a new attempt; the same one again is no change. Raises Fenced when it can't have it.

    It is given again when the answer to the commit was lost.
    """
    step = run.step(name)
    if step.state is StepState.RUNNING and step.attempts[-1].token == token:
        return run
    _require(run, run.state is RunState.RUNNING and step.state is StepState.WAITING, f"an attempt of step {name!r}")
    attempt = Attempt(token, len(step.attempts) + 1, AttemptState.RUNNING, now)
    return _put(run, replace(step, state=StepState.RUNNING, attempts=(*step.attempts, attempt)))


def succeed(run: Run, token: str, digest: str, summary: Mapping[str, Any], now: datetime) -> Run:
    """The attempt's output is stored; with the last step the run has succeeded; again, no change. Raises Fenced."""
    if any(one.state is StepState.SUCCEEDED and one.attempts[-1].token == token for one in run.steps):
        return run
    step = _end_attempt(_owner(run, token), AttemptState.SUCCEEDED)
    done = replace(step, state=StepState.SUCCEEDED, finish_time=now, output_digest=digest, summary=dict(summary))
    run = _put(run, done)
    if all(one.state is StepState.SUCCEEDED for one in run.steps):
        return replace(run, state=RunState.SUCCEEDED, finish_time=now)
    return run


def fail_attempt(run: Run, token: str, error: str, max_attempts: int, now: datetime) -> Run:
    """The attempt failed; when it was the last that may be, so did the run. Raises Fenced."""
    step = _end_attempt(_owner(run, token), AttemptState.FAILED, shorten(error))
    return _again_or_fail(_put(run, replace(step, state=StepState.WAITING)), step.name, max_attempts, now)


def release(run: Run, token: str) -> Run:
    """The attempt was given back unfinished. Raises Fenced."""
    step = _end_attempt(_owner(run, token), AttemptState.RELEASED)
    return _put(run, replace(step, state=StepState.WAITING))


def take_over(run: Run, max_attempts: int, now: datetime, alive: Collection[str] = ()) -> Run:
    """Nobody works on the run: its running attempts are lost, but for those whose tokens are ``alive``.

    One that was given back and is alive goes on, too. Raises Fenced when the run has ended.
    """
    _require(run, run.state is RunState.RUNNING, "taking over")
    for step in run.steps:
        if step.attempts and step.attempts[-1].token in alive:
            run = _put(run, replace(_end_attempt(step, AttemptState.RUNNING), state=StepState.RUNNING))
        elif step.state is StepState.RUNNING and not run.final:
            lost = replace(_end_attempt(step, AttemptState.LOST, _LOST), state=StepState.WAITING)
            run = _again_or_fail(_put(run, lost), step.name, max_attempts, now)
    return run


def fail(run: Run, error: str, now: datetime) -> Run:
    """The run can't go on. Raises Fenced when it has ended."""
    _require(run, not run.final, "the failure")
    return _close(replace(run, error=shorten(error)), RunState.FAILED, now)


def cancel(run: Run, now: datetime) -> Run:
    """Nobody wants the run any more; one that has ended stays as it is."""
    return run if run.final else _close(run, RunState.CANCELLED, now)


def _again_or_fail(run: Run, name: str, max_attempts: int, now: datetime) -> Run:
    step = run.step(name)
    if step.spent < max_attempts:
        return run
    run = _put(run, replace(step, state=StepState.FAILED, finish_time=now))
    tries = f" in {step.spent} attempts" if step.spent > 1 else ""
    return fail(run, f"step {name!r} failed{tries}: {step.error}", now)


def _close(run: Run, state: RunState, now: datetime) -> Run:
    def end(step: Step) -> Step:
        if step.state is StepState.RUNNING:
            step = _end_attempt(step, AttemptState.FENCED)
        if step.state in {StepState.RUNNING, StepState.WAITING}:
            return replace(step, state=StepState.SKIPPED, finish_time=now)
        return step

    return replace(_each(run, end), state=state, finish_time=now)


def _owner(run: Run, token: str) -> Step:
    for step in run.steps:
        if step.state is StepState.RUNNING and step.attempts[-1].token == token:
            return step
    raise Fenced(run.id, "an attempt")


def _end_attempt(step: Step, state: AttemptState, error: str = "") -> Step:
    return replace(step, attempts=(*step.attempts[:-1], replace(step.attempts[-1], state=state, error=error)))


def _put(run: Run, changed: Step) -> Run:
    return _each(run, lambda one: changed if one.name == changed.name else one)


def _each(run: Run, change: Callable[[Step], Step]) -> Run:
    return replace(run, steps=tuple(change(one) for one in run.steps))


def _steps(spec: WorkflowSpec) -> tuple[Step, ...]:
    return tuple(Step(one.name) for one in spec.steps)


def _require(run: Run, held: bool, what: str) -> None:
    if not held:
        raise Fenced(run.id, what)
