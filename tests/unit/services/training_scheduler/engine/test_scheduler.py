"""The engine on runs in memory, with steps that end when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.training_scheduler.adapters.memory import MemoryRuns, MemoryWriter
from services.training_scheduler.domain.errors import RequestReused, StepFailed, WorkflowNotFound
from services.training_scheduler.domain.run import AttemptState, Run, RunState, StepState
from services.training_scheduler.domain.workflow import StepSpec, WorkflowSpec
from services.training_scheduler.engine.execution import Execution
from services.training_scheduler.engine.ledger import Ledger
from services.training_scheduler.engine.policy import Policy
from services.training_scheduler.engine.scheduler import Scheduler
from services.training_scheduler.engine.submissions import Submissions
from services.training_scheduler.engine.watch import Watch
from services.training_scheduler.ports import Job, Output
from slipway.clock import ManualClock
from slipway.errors import Unavailable

DIAMOND = (StepSpec("a"), StepSpec("b", ("a",)), StepSpec("c", ("a",)), StepSpec("d", ("b", "c")))


async def reached(true: Callable[[], bool]) -> None:
    """Let other tasks go on until ``true``."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0)


@dataclass
class KnownWorkflows:
    """One workflow, whose code may change."""

    digest: str = "sha256:1"
    known: bool = True

    def all(self) -> Sequence[WorkflowSpec]:
        return [WorkflowSpec("diamond", "", (), DIAMOND, self.digest)] if self.known else []

    def get(self, name: str) -> WorkflowSpec | None:
        return next((one for one in self.all() if one.name == name), None)

    def complete(self, name: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return dict(params)


@dataclass
class HeldSteps:
    """Attempts that wait for the test to end them."""

    jobs: dict[str, tuple[Job, asyncio.Future[Output]]] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    outliving: set[str] = field(default_factory=set)

    async def run(self, job: Job) -> Output:
        answer: asyncio.Future[Output] = asyncio.get_running_loop().create_future()
        self.jobs[job.step] = (job, answer)
        self.started.append(f"{job.step}{job.attempt}")
        try:
            return await answer
        finally:
            del self.jobs[job.step]

    def cancel(self, run_id: str) -> None:
        self.cancelled.append(run_id)
        for _, answer in self.jobs.values():
            if not answer.done():
                answer.set_exception(StepFailed("ended early"))

    async def alive(self, run_id: str, step: str, attempt: int) -> bool:
        return f"{step}{attempt}" in self.outliving

    def drop(self, run_id: str, step: str, attempt: int) -> None:
        self.dropped.append(f"{step}{attempt}")

    def forget(self, run_id: str) -> None:
        """Nothing is kept."""

    async def running(self, *names: str) -> None:
        await reached(lambda: set(self.jobs) == set(names))

    def end(self, name: str, *, error: str = "") -> None:
        job, answer = self.jobs[name]
        if error:
            answer.set_exception(StepFailed(error))
        else:
            answer.set_result(Output("".join([name, *job.inputs.values()]), {"step": name}))


class FlakyRuns(MemoryRuns):
    """Runs whose next writes may fail as a database that is away, or be kept without an answer."""

    away = 0
    unanswered = 0

    @asynccontextmanager
    async def write(self) -> AsyncIterator[MemoryWriter]:
        if self.away:
            self.away -= 1
            raise Unavailable("away", retry_after_s=0.0)
        async with super().write() as writer:
            yield writer
        if self.unanswered:
            self.unanswered -= 1
            raise Unavailable("the answer was lost", retry_after_s=0.0)


class Rig:
    """A scheduler made of real parts but for steps, store and clock."""

    def __init__(self, **bounds: Any) -> None:
        self.workflows, self.steps, self.clock = KnownWorkflows(), HeldSteps(), ManualClock()
        self.runs = FlakyRuns()
        self.watch = Watch(self.runs)
        self.ledger = Ledger(self.runs, self.watch, self.clock)
        self.policy = Policy(**bounds)
        self.scheduler: Scheduler | None = None

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Submissions]:
        """One process's life; left as by SIGTERM."""
        execution = Execution(
            ledger=self.ledger,
            workflows=self.workflows,
            steps=self.steps,
            policy=self.policy,
            clock=self.clock,
        )
        scheduler = Scheduler(self.runs, execution, self.clock, 1, look_again_s=0.01)
        task = asyncio.create_task(scheduler.run())
        try:
            yield Submissions(
                runs=self.runs,
                workflows=self.workflows,
                ledger=self.ledger,
                steps=self.steps,
                clock=self.clock,
                accepted=scheduler.wake,
            )
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def until(self, run_id: str, true: Callable[[Run], bool]) -> Run:
        async with asyncio.timeout(10):
            async for run in self.watch.follow(run_id):
                if true(run):
                    return run
        raise AssertionError("it ended otherwise")


def final(run: Run) -> bool:
    return run.final


async def test_steps_that_do_not_wait_for_one_another_run_side_by_side() -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")
        rig.steps.end("a")
        await rig.steps.running("b", "c")
        rig.steps.end("c")
        rig.steps.end("b")
        await rig.steps.running("d")
        assert rig.steps.jobs["d"][0].inputs == {"b": "ba", "c": "ca"}
        rig.steps.end("d")
        ended = await rig.until(run.id, final)
    assert ended.state is RunState.SUCCEEDED
    assert ended.step("d").output_digest == "dbaca"
    assert ended.step("d").summary == {"step": "d"}
    assert [one.state for one in rig.runs.announced] == [RunState.QUEUED, RunState.RUNNING, RunState.SUCCEEDED]


async def test_a_bound_holds_steps_back() -> None:
    rig = Rig(max_running_steps=1)
    async with rig.serving() as submissions:
        await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")
        rig.steps.end("a")
        await rig.steps.running("b")
        rig.steps.end("b")
        await rig.steps.running("c")


async def test_runs_get_their_turn_in_the_order_in_which_they_came() -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        runs = [await submissions.submit("diamond", {}, f"k{number}") for number in range(3)]
        for run in runs:
            await rig.until(run.id, lambda run: run.state is RunState.RUNNING)
            await rig.steps.running("a")
            assert rig.steps.jobs["a"][0].run_id == run.id
            await submissions.cancel(run.id)


async def test_what_failed_is_tried_again_after_a_growing_wait() -> None:
    rig = Rig(max_attempts=3, retry_wait_s=8.0)
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {}, "k")
        for attempt, wait in ((1, 8.0), (2, 16.0)):
            await rig.steps.running("a")
            rig.steps.end("a", error=f"no {attempt}")
            await rig.until(run.id, lambda run, n=attempt: run.step("a").spent == n)  # type: ignore[misc]
            await reached(lambda: bool(rig.clock._sleepers))
            rig.clock.advance(wait - 1)
            await rig.steps.running()
            rig.clock.advance(1)
        await rig.steps.running("a")
        rig.steps.end("a", error="no 3")
        ended = await rig.until(run.id, final)
    assert ended.error == "step 'a' failed in 3 attempts: no 3"


async def test_a_failure_tells_what_runs_beside_it_to_end() -> None:
    rig = Rig(max_attempts=1)
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")
        rig.steps.end("a")
        await rig.steps.running("b", "c")
        rig.steps.end("b", error="no")
        await rig.steps.running()
        ended = await rig.until(run.id, final)
    assert run.id in rig.steps.cancelled
    assert ended.step("c").attempts[0].state is AttemptState.FENCED


async def test_what_a_cancelled_attempt_makes_is_not_kept() -> None:
    rig = Rig()
    rig.steps.cancel = lambda run_id: None  # type: ignore[method-assign]
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")
        cancelled = await submissions.cancel(run.id)
        rig.steps.end("a")
        await rig.steps.running()
        assert await submissions.get(run.id) == cancelled
    assert cancelled.step("a").output_digest == ""
    assert [one.state for one in rig.runs.announced][-1] is RunState.CANCELLED


async def test_finished_work_waits_for_a_database_that_is_away() -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")
        rig.runs.away = 3
        rig.steps.end("a")
        async with asyncio.timeout(10):
            while rig.runs.away:
                rig.clock.advance(1)
                await asyncio.sleep(0)
        rig.clock.advance(1)
        await rig.steps.running("b", "c")
        assert (await submissions.get(run.id)).step("a").attempts[0].state is AttemptState.SUCCEEDED
    assert rig.steps.started.count("a1") == 1


async def test_stopped_and_started_it_goes_on_where_it_was() -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")
        rig.steps.end("a")
        await rig.steps.running("b", "c")
        rig.steps.end("b")
        await rig.until(run.id, lambda run: run.step("b").state is StepState.SUCCEEDED)
    stopped = await rig.ledger.get(run.id)
    assert [one.state.value for one in stopped.steps] == ["SUCCEEDED", "SUCCEEDED", "WAITING", "WAITING"]
    assert stopped.step("c").attempts[0].state is AttemptState.RELEASED
    async with rig.serving():
        await rig.steps.running("c")
    assert rig.steps.started == ["a1", "b1", "c1", "c2"]


@pytest.mark.parametrize(
    ("change", "text"),
    [(KnownWorkflows(digest="sha256:2"), "changed while"), (KnownWorkflows(known=False), "no longer configured")],
)
async def test_a_run_whose_code_changed_under_it_fails_and_says_so(change: KnownWorkflows, text: str) -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")
    rig.workflows = change
    async with rig.serving():
        ended = await rig.until(run.id, final)
    assert (ended.state, text in ended.error) == (RunState.FAILED, True)
    assert rig.steps.started == ["a1"]


async def test_a_queued_run_begins_with_the_code_there_is_then() -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        await submissions.submit("diamond", {}, "k1")
        queued = await submissions.submit("diamond", {}, "k2")
        await rig.steps.running("a")
        rig.workflows.digest = "sha256:2"
        await submissions.cancel((await submissions.list("", 50, "")).rows[1].id)
        begun = await rig.until(queued.id, lambda run: run.state is RunState.RUNNING)
    assert begun.code_digest == "sha256:2"


async def test_submissions_are_refused_or_recognised() -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {"x": 1}, "k")
        assert (await submissions.submit("diamond", {"x": 1}, "k")).id == run.id
        with pytest.raises(RequestReused):
            await submissions.submit("diamond", {"x": 2}, "k")
        with pytest.raises(WorkflowNotFound):
            await submissions.submit("circle", {}, "k2")
        rig.workflows.known = False
        assert (await submissions.submit("diamond", {"x": 1}, "k")).id == run.id


async def test_an_attempt_that_outlived_its_scheduler_goes_on_and_is_dropped_once_it_is_committed() -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        run = await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")
        rig.steps.end("a")
        await rig.steps.running("b", "c")
    # As by SIGTERM: both were given back, and one of them is alive where it runs.
    rig.steps.outliving = {"b1"}
    async with rig.serving():
        await rig.steps.running("b", "c")
        assert rig.steps.started == ["a1", "b1", "c1", "b1", "c2"]
        rig.steps.end("b")
        rig.steps.end("c")
        await rig.steps.running("d")
        rig.steps.end("d")
        ended = await rig.until(run.id, final)
    assert [(one.name, len(one.attempts)) for one in ended.steps] == [("a", 1), ("b", 1), ("c", 2), ("d", 1)]
    assert rig.steps.dropped == ["a1", "b1", "c2", "d1"]


async def test_a_run_whose_submission_was_never_answered_gets_its_turn_all_the_same() -> None:
    rig = Rig()
    async with rig.serving() as submissions:
        rig.runs.unanswered = 1
        with pytest.raises(Unavailable):
            await submissions.submit("diamond", {}, "k")
        await rig.steps.running("a")


@pytest.mark.parametrize("lost", range(1, 4))
async def test_commits_whose_answers_are_lost_cost_no_attempt(lost: int) -> None:
    rig = Rig(max_attempts=1)

    async def tick() -> None:
        while True:
            rig.clock.advance(1)
            await asyncio.sleep(0)

    async with rig.serving() as submissions:
        ticking = asyncio.create_task(tick())
        run = await submissions.submit("diamond", {}, "k")
        for names in ("a", "bc", "d"):
            await rig.steps.running(*names)
            rig.runs.unanswered = lost
            for name in names:
                rig.steps.end(name)
        ended = await rig.until(run.id, final)
        ticking.cancel()
    assert ended.state is RunState.SUCCEEDED
    assert [len(one.attempts) for one in ended.steps] == [1, 1, 1, 1]
