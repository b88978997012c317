"""Steps on a real Ray head, whose scheduler and whose head are killed meanwhile: one test, for a head takes seconds."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from slipway.client import RunState, Slipway

WORKFLOWS = Path(__file__).with_name("workflows")


class Journal:
    """What the second step noted: its gate, its attempt, its process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, gate: str) -> list[tuple[int, int]]:
        """Attempts that ran, with their processes."""
        path = self.folder / "journal"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(int(attempt), int(pid)) for one, attempt, pid in map(str.split, lines) if one == gate]

    def open(self, gate: str) -> None:
        """Let the step go on."""
        (self.folder / gate).touch()


@pytest.mark.skipif(not hasattr(signal, "pidfd_send_signal"), reason="needs Linux")
def test_steps_on_ray_outlive_their_scheduler_and_are_tried_again_after_their_cluster(slipway, wait, tmp_path) -> None:
    _only_the_scheduler(slipway, tmp_path)
    slipway.up("--timeout", "110", "--without", "redis", "--config-dir", str(tmp_path / "config"))
    unit = slipway.unit("training_scheduler")
    journal = Journal(tmp_path)
    with Slipway(training=unit["endpoints"]["grpc"]) as client:
        training = client.training

        # kill -9 of the scheduler: the actor goes on, and its result is the run's.
        run = training.submit("held", {"folder": str(tmp_path), "gate": "a"}, request_id="a")
        wait(lambda: journal.of("a"))
        os.kill(unit["pid"], signal.SIGKILL)
        wait(lambda: _again(slipway.unit("training_scheduler")))
        journal.open("a")
        ended = training.wait(run.id, timeout_s=60)
        assert (ended.state, [one.attempts for one in ended.steps]) == (RunState.SUCCEEDED, [1, 1]), ended.error
        assert [attempt for attempt, _ in journal.of("a")] == [1]
        wait(lambda: not psutil.pid_exists(journal.of("a")[0][1]))  # collected, it was ended
        with training.logs(run.id) as parts:
            lines = [(line.step, line.attempt, line.text) for lines in parts for line in lines]
        assert ("first", 1, f"printed in {tmp_path.name}") in lines
        assert ("first", 1, "written below Python") in lines
        assert any(step == "second" and text.endswith("waiting gate=a") for step, _, text in lines)

        # A cancelled run's actor ends.
        run = training.submit("held", {"folder": str(tmp_path), "gate": "b"}, request_id="b")
        wait(lambda: journal.of("b"))
        assert training.cancel(run.id).state is RunState.CANCELLED
        wait(lambda: not psutil.pid_exists(journal.of("b")[0][1]))

        # kill -9 of the head: another attempt when it is back, and answers meanwhile.
        run = training.submit("held", {"folder": str(tmp_path), "gate": "c"}, request_id="c")
        wait(lambda: journal.of("c"))
        head = slipway.unit("ray")
        os.kill(head["pid"], signal.SIGKILL)
        assert training.get_run(run.id).state is RunState.RUNNING
        wait(lambda: len(journal.of("c")) == 2, 100)
        journal.open("c")
        ended = training.wait(run.id, timeout_s=60)
        assert (ended.state, [one.attempts for one in ended.steps]) == (RunState.SUCCEEDED, [1, 2]), ended.error
        assert slipway.unit("ray")["pid"] != head["pid"]


def _again(unit: dict[str, Any]) -> bool:
    return (unit["restarts"], unit["state"]) == (1, "serving")


def _only_the_scheduler(slipway, folder: Path) -> None:
    """Have the fleet be a real scheduler alone, with the workflow of the test."""
    command = json.dumps([str(Path(sys.executable).with_name("slipway-training"))])
    slipway.fleet.write_text(
        'stop_order = ["training_scheduler", "ray"]\ngrace_s = 10\n'
        "rules = {attempts = 3, doubt_s = 0.5, hung_s = 200.0, first_delay_s = 0.05}\n"
        f'[[services]]\nname = "training_scheduler"\ncommand = {command}\n'
        "ports = {grpc = 50053, metrics = 9103}\ntables = true\n",
        encoding="utf-8",
    )
    config = folder / "config"
    config.mkdir()
    (config / "training_scheduler.toml").write_text(
        f'workflow_modules = ["held_workflow"]\nworkflow_path = [{json.dumps(str(WORKFLOWS))}]\nretry_wait_s = 0\n',
        encoding="utf-8",
    )
