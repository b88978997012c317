"""The ``slipway`` command as a user runs it, on a data root of the test's own, over stand-in services."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from slipway.supervisor.fleet import FLEET
from slipway.supervisor.proc import marked, started_ticks

_STAND_IN = Path(__file__).with_name("standin_service.py")


def until(true: Callable[[], Any], seconds: float = 60) -> Any:
    """What ``true`` gives once it is truthy; fails when it never is."""
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, f"not true after {seconds} s"
        time.sleep(0.02)
    return value


@dataclass
class Slipway:
    """Runs ``slipway`` on ``data``; ``control`` steers the stand-ins (see their file)."""

    data: Path
    control: Path
    fleet: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    redis: list[int] = field(default_factory=list)

    def run(self, verb: str, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._command(verb, args), capture_output=True, text=True, check=False, timeout=120)

    def start(self, verb: str, *args: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self._command(verb, args),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def up(self, *args: str) -> dict[str, Any]:
        """``up --detach`` without Ray unless told; its JSON."""
        done = self.run("up", "--detach", "--json", "--free-ports", *(args or ("--without", "ray")))
        assert done.returncode == 0, done.stderr
        up = json.loads(done.stdout)
        self.redis += [one["pid"] for one in up["backing"] if one["name"] == "redis"]
        return up

    def status(self) -> dict[str, Any]:
        return json.loads(self.run("status", "--json").stdout)

    def unit(self, name: str) -> dict[str, Any]:
        """The unit as the state file has it now."""
        state = json.loads((self.data / "run" / "state.json").read_text())
        return next(one for one in (*state["services"], *state["backing"]) if one["name"] == name)

    def journal(self) -> list[str]:
        path = self.control / "journal"
        return path.read_text().splitlines() if path.exists() else []

    def left(self) -> list[int]:
        """Processes of any unit that live. Redis, which overwrites its environment, is known by its pid."""
        return [*marked(self.data), *(pid for pid in self.redis if not gone(pid))]

    def _command(self, verb: str, args: tuple[str, ...]) -> list[str]:
        fleet = ["--fleet", str(self.fleet)] if verb == "up" else []
        return [sys.executable, "-m", "slipway.supervisor", verb, "--data", str(self.data), *fleet, *args]


@pytest.fixture
def slipway(tmp_path: Path) -> Iterator[Slipway]:
    control = tmp_path / "control"
    control.mkdir()
    fleet = tmp_path / "fleet.toml"
    fleet.write_text(_fleet(control))
    one = Slipway(tmp_path / "data", control, fleet)
    yield one
    done = one.run("down", "--timeout", "20")
    for process in one.started:
        process.kill()
        process.communicate()
    assert done.returncode == 0, done.stderr
    assert one.left() == []


def gone(pid: int) -> bool:
    return started_ticks(pid) is None


def _fleet(control: Path) -> str:
    order = json.dumps(FLEET.stop_order)
    rules = "{attempts = 2, doubt_s = 0.5, hung_s = 60.0, first_delay_s = 0.05}"
    text = f"stop_order = {order}\ngrace_s = 10\nrules = {rules}\n"
    for service in FLEET.services:
        command = json.dumps([sys.executable, str(_STAND_IN), str(control), service.name])
        ports = ", ".join(f"{kind} = {port}" for kind, port in service.ports.items())
        text += f'[[services]]\nname = "{service.name}"\ncommand = {command}\n'
        text += f"ports = {{{ports}}}\ntables = {str(service.tables).lower()}\n"
    return text


@pytest.fixture
def wait() -> Callable[..., Any]:
    return until
