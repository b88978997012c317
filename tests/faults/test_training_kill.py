"""kill -9 of the scheduler's process wherever a run may stand: each run ends once, no finished step runs again."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

from services.training_scheduler.adapters.sql import MIGRATIONS
from slipway.client import AsyncSlipway, Run, RunState, StepState
from slipway.client._async.training import Training
from slipway.client.types.training import Json
from slipway.errors import Kind, SlipwayError
from slipway.events.connect import open_log
from slipway.gen.slipway.training.v1 import events_pb2, resources_pb2
from slipway.sql import migrate
from slipway.supervisor.ports import free_port

R = TypeVar("R")
STEPS = ("first", "second", "third")
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
WHOLE = ["QUEUED", "RUNNING", "SUCCEEDED"]


class Scheduler:
    """A real ``slipway-training``, which may be killed and started again on the same data and port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = f"sqlite:///{folder / 'log.db'}"
        self.address = f"127.0.0.1:{free_port()}"
        self.config = folder / "training.toml"
        workflows = Path(__file__).parent / "workflows"
        self.config.write_text(
            f'workflow_modules = ["gated_workflow"]\nworkflow_path = [{json.dumps(str(workflows))}]\n'
            "stop_grace_s = 0\nretry_wait_s = 0\n",
            encoding="utf-8",
        )
        self._stderr = (folder / "stderr").open("a", encoding="utf-8")
        self._environment = {
            **os.environ,
            "SLIPWAY_DATA": str(folder),
            "SLIPWAY_EVENTS": self.events,
            "SLIPWAY_TRAINING_SCHEDULER_GRPC_LISTEN": self.address,
            "SLIPWAY_TRAINING_SCHEDULER_METRICS_LISTEN": "127.0.0.1:0",
        }
        (folder / "training_scheduler").mkdir()
        migrate(f"sqlite:///{folder / 'training_scheduler' / 'training.db'}", MIGRATIONS)
        self._gates: dict[str, int] = {}
        for name in STEPS:
            os.mkfifo(folder / name)
            # Held for reading too, so that what is written stays while no step waits.
            self._gates[name] = os.open(folder / name, os.O_RDWR)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("slipway-training")), "serve", "--config", str(self.config)]
        self._process = subprocess.Popen(command, env=self._environment, stderr=self._stderr)

    def refused(self) -> tuple[int, str]:
        """Start a second process beside the first: its exit status, and what it says."""
        command = [str(Path(sys.executable).with_name("slipway-training")), "serve", "--config", str(self.config)]
        told = subprocess.run(command, env=self._environment, check=False, capture_output=True, text=True, timeout=60)
        return told.returncode, told.stderr

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end; the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; the exit status."""
        assert self._process is not None
        status = self._process.wait(60)
        self._process = None
        return status

    def close(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)
        for gate in self._gates.values():
            os.close(gate)
        self._stderr.close()

    async def insist(self, ask: Callable[[Training], Awaitable[R]]) -> R:
        """Ask until the process answers."""
        async with AsyncSlipway(training=self.address) as client, asyncio.timeout(60):
            while True:
                try:
                    return await ask(client.training)
                except SlipwayError as error:
                    if error.kind is not Kind.UNAVAILABLE:
                        raise
                    await asyncio.sleep(PAUSE_S)

    async def submit(self, key: str = "k", workflow: str = "gated") -> Run:
        """Submit until it is acknowledged, whatever happens to the process meanwhile."""
        params: Mapping[str, Json] = {"folder": str(self.folder)} if workflow == "gated" else {}
        return await self.insist(lambda training: training.submit(workflow, params, request_id=key))

    async def until(self, run_id: str, step: str, attempts: int = 1) -> None:
        """Return when an attempt of the step is stored as running."""
        found = None
        while found is None or found.state is not StepState.RUNNING or found.attempts < attempts:
            run = await self.insist(lambda training: training.get_run(run_id))
            (found,) = (one for one in run.steps if one.name == step)
            await asyncio.sleep(PAUSE_S)

    async def finish(self, run_id: str) -> Run:
        """Open every gate and wait until the run has ended; its end."""
        for name in STEPS:
            self.open(name, 100)
        return await self.insist(lambda training: training.wait(run_id, timeout_s=60))

    def open(self, name: str, times: int = 1) -> None:
        """Let so many attempts of a step pass its gate."""
        os.write(self._gates[name], name[:1].encode() * times)

    def journal(self) -> list[str]:
        """What steps noted: name and attempt."""
        text = (self.folder / "journal").read_text(encoding="utf-8")
        return [line.rpartition(" ")[0] for line in text.splitlines()]

    async def announced(self, run_id: str) -> list[str]:
        """The states of the run as the event log has them, when the last of them is there."""
        async with open_log(self.events) as log, asyncio.timeout(60):
            while True:
                events = [
                    events_pb2.RunChanged.FromString(one.event.value) for one in await log.read("training.run.v1")
                ]
                states = [resources_pb2.RunState.Name(one.run.state)[10:] for one in events if one.run.id == run_id]
                if states and states[-1] not in {"QUEUED", "RUNNING"}:
                    return states
                await asyncio.sleep(PAUSE_S)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Scheduler]:
    scheduler = Scheduler(tmp_path)
    yield scheduler
    scheduler.close()


@pytest.mark.parametrize("at", STEPS)
async def test_killed_while_a_step_runs_it_is_taken_over_and_no_finished_step_runs_again(
    scheduler: Scheduler, at: str
) -> None:
    scheduler.start()
    run = await scheduler.submit()
    for name in STEPS[: STEPS.index(at)]:
        await scheduler.until(run.id, name)
        scheduler.open(name)
    await scheduler.until(run.id, at)
    assert scheduler.end(signal.SIGKILL) == -signal.SIGKILL
    scheduler.start()
    ended = await scheduler.finish(run.id)
    assert ended.state is RunState.SUCCEEDED, ended.error
    assert [(one.name, one.attempts) for one in ended.steps] == [(name, 1 + (name == at)) for name in STEPS]
    noted = scheduler.journal()
    # The first attempt may have died between its commit and its first line.
    assert [line for line in noted if line != f"{at} 1"] == [f"{name} {1 + (name == at)}" for name in STEPS]
    assert await scheduler.announced(run.id) == WHOLE
    assert (await scheduler.submit()).id == run.id
    keys = (scheduler.folder / "journal").read_text(encoding="utf-8").split()[2::3]
    assert set(keys) == {f"{run.id}.{name}" for name in STEPS}


@pytest.mark.parametrize("seed", range(3))
async def test_killed_at_any_moment_a_run_ends_once(scheduler: Scheduler, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (it chooses moments, no secrets)
    for name in STEPS:
        scheduler.open(name, 100)
    # Twice, for a third lost attempt of one step would rightly fail the run.
    for _ in range(2):
        scheduler.start()
        run = await scheduler.submit()
        changes = chance.randrange(8)

        async def see(training: Training, run_id: str = run.id, changes: int = changes) -> None:
            async with training.watch(run_id) as states:
                async for _ in states:
                    changes -= 1
                    if changes <= 0:
                        return

        await scheduler.insist(see)
        for _ in range(chance.randrange(100)):
            await asyncio.sleep(0)
        scheduler.end(signal.SIGKILL)
    scheduler.start()
    ended = await scheduler.finish(run.id)
    assert ended.state is RunState.SUCCEEDED, ended.error
    assert await scheduler.announced(run.id) == WHOLE
    noted = scheduler.journal()
    assert len(set(noted)) == len(noted)
    for step in ended.steps:
        # The attempt that counts is the last one there was.
        assert max(int(line.split()[1]) for line in noted if line.startswith(step.name)) == step.attempts


async def test_killed_right_after_the_answer_the_run_is_there(scheduler: Scheduler) -> None:
    scheduler.start()
    runs = [await scheduler.submit(f"k{number}") for number in range(3)]
    scheduler.end(signal.SIGKILL)
    scheduler.start()
    for number, run in enumerate(runs):
        assert (await scheduler.submit(f"k{number}")).id == run.id
        assert (await scheduler.finish(run.id)).state is RunState.SUCCEEDED
        assert await scheduler.announced(run.id) == WHOLE


async def test_a_step_that_kills_its_process_fails_its_run_and_not_the_scheduler(scheduler: Scheduler) -> None:
    scheduler.start()
    run = await scheduler.submit("poison", "poison")
    assert scheduler.wait() == -signal.SIGKILL
    for _ in range(2):
        scheduler.start()
        assert scheduler.wait() == -signal.SIGKILL
    scheduler.start()
    ended = await scheduler.finish(run.id)
    assert (ended.state, ended.steps[0].attempts) == (RunState.FAILED, 3)
    assert ended.error == "step 'deadly' failed in 3 attempts: the scheduler's process died while it ran"
    assert await scheduler.announced(run.id) == ["QUEUED", "RUNNING", "FAILED"]
    assert (await scheduler.finish((await scheduler.submit()).id)).state is RunState.SUCCEEDED


async def test_stopped_it_gives_running_attempts_back_and_they_do_not_count(scheduler: Scheduler) -> None:
    scheduler.start()
    run = await scheduler.submit()
    for attempts in range(1, 4):
        await scheduler.until(run.id, "first", attempts)
        assert scheduler.end(signal.SIGTERM) == 0
        scheduler.start()
    ended = await scheduler.finish(run.id)
    assert (ended.state, ended.steps[0].attempts) == (RunState.SUCCEEDED, 4)
    assert await scheduler.announced(run.id) == WHOLE


async def test_a_second_scheduler_on_the_same_data_is_refused(scheduler: Scheduler) -> None:
    scheduler.start()
    await scheduler.submit()
    status, told = await asyncio.to_thread(scheduler.refused)
    assert (status, "another slipway-training works on" in told) == (1, True)
