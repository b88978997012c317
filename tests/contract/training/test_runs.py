from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from services.training_scheduler.domain import progress
from services.training_scheduler.domain.run import Run
from services.training_scheduler.domain.workflow import StepSpec, WorkflowSpec
from services.training_scheduler.ports import Runs
from slipway import paging

NOW = datetime(2013, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1, microseconds=7)
SPEC = WorkflowSpec("sums", "", (), (StepSpec("first"), StepSpec("second", ("first",))), "sha256:1")


class Subject(Protocol):
    runs: Runs

    async def announced(self) -> list[tuple[str, str]]: ...


def run(name: str, workflow: str = "sums") -> Run:
    spec = WorkflowSpec(workflow, "", (), SPEC.steps, SPEC.code_digest)
    return progress.accept(f"run-{name}", spec, {"rounds": 3, "tags": ["a"], "deep": {"x": None}}, NOW)


async def add(subject: Subject, *runs: Run) -> None:
    for one in runs:
        async with subject.runs.write() as writer:
            await writer.add(one, f"key-{one.id}", f"mark-{one.id}")


async def stored(subject: Subject, run_id: str) -> Run:
    async with subject.runs.read() as reader:
        found = await reader.run(run_id)
    assert found is not None
    return found


async def save(subject: Subject, changed: Run) -> Run:
    async with subject.runs.write() as writer:
        await writer.save(changed)
    return await stored(subject, changed.id)


async def test_a_run_comes_back_as_it_was(subject: Subject) -> None:
    await add(subject, run("a"))
    assert await stored(subject, "run-a") == run("a")
    async with subject.runs.read() as reader:
        assert await reader.run("run-b") is None


async def test_a_saved_run_comes_back_with_its_attempts_at_a_newer_revision(subject: Subject) -> None:
    await add(subject, run("a"))
    before = await stored(subject, "run-a")
    changed = progress.begin_attempt(progress.begin(before, SPEC), "first", "t1", NOW)
    changed = progress.fail_attempt(changed, "t1", "it broke", 3, LATER)
    changed = progress.begin_attempt(changed, "first", "t2", LATER)
    changed = progress.succeed(changed, "t2", "sha256:" + "0" * 64, {"auc": 0.5}, LATER)
    after = await save(subject, changed)
    assert after == changed
    assert after.revision > before.revision
    assert after.position == before.position
    ended = await save(subject, progress.cancel(after, LATER))
    assert ended == progress.cancel(after, LATER)
    assert ended.revision > after.revision


async def test_a_submission_is_found_by_its_request_id(subject: Subject) -> None:
    await add(subject, run("a"), run("b"))
    async with subject.runs.read() as reader:
        assert await reader.submission("key-run-b") == (run("b"), "mark-run-b")
        assert await reader.submission("key") is None


async def test_pages_are_newest_first_and_without_steps(subject: Subject) -> None:
    await add(subject, run("a"), run("b", "other"), run("c"), run("d"))

    async def page(workflow: str, size: int, token: str) -> paging.Slice[Run]:
        asked = paging.parse(size, token, (int,))
        async with subject.runs.read() as reader:
            return paging.cut(await reader.runs(workflow, asked), asked, lambda one: (one.position,))

    first = await page("sums", 2, "")
    assert [(one.id, one.steps) for one in first.rows] == [("run-d", ()), ("run-c", ())]
    await add(subject, run("e"))
    last = await page("sums", 2, first.next_token)
    assert ([one.id for one in last.rows], last.next_token) == (["run-a"], "")
    assert [one.id for one in (await page("", 50, "")).rows] == ["run-e", "run-d", "run-c", "run-b", "run-a"]


async def test_open_runs_are_the_running_ones_then_the_queue(subject: Subject) -> None:
    await add(subject, run("a"), run("b"), run("c"), run("d"))
    await save(subject, progress.begin(run("c"), SPEC))
    await save(subject, progress.cancel(run("a"), LATER))
    async with subject.runs.read() as reader:
        assert list(await reader.open_runs(10)) == ["run-c", "run-b", "run-d"]
        assert list(await reader.open_runs(1)) == ["run-c"]


async def test_state_and_announcement_commit_together_or_not_at_all(subject: Subject) -> None:
    async with subject.runs.write() as writer:
        await writer.add(run("a"), "key", "mark")
        await writer.announce(run("a"), NOW)

    async def break_off() -> None:
        async with subject.runs.write() as writer:
            begun = progress.begin(run("a"), SPEC)
            await writer.save(begun)
            await writer.announce(begun, NOW)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await break_off()
    assert await stored(subject, "run-a") == run("a")
    assert await subject.announced() == [("run-a", "QUEUED")]
