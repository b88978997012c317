"""Armed failpoints in real processes: they act where and as often as they should, and once for all of them."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from slipway.errors import InvalidInput, Kind, SlipwayError
from slipway.failpoints import Action, Entry, arm, armed, arming, disarm, hit, hit_async, parse

# Reaches one place for each line it reads, and says what came of it.
REACHER = """
import sys
from slipway.failpoints import hit
print("ready", flush=True)
for line in sys.stdin:
    try:
        hit(line.strip())
        print("passed", flush=True)
    except Exception as error:
        print(type(error).__name__, getattr(error, "errno", None) or error.kind.name, flush=True)
"""
COMMIT: Final = "sql.commit.after"
PUBLISH: Final = "events.publish.before"
SYNC: Final = "spool.sync.before"


class Reacher:
    """A process that reaches failpoints when it is told to."""

    def __init__(self, **environment: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_FAILPOINTS")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", REACHER],
            env={**inherited, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.said() == "ready"

    def reach(self, name: str) -> str:
        """What came of it; empty when the process is gone."""
        self.send(name)
        return self.said()

    def send(self, name: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def reachers() -> Iterator[list[Reacher]]:
    made: list[Reacher] = []
    yield made
    for one in made:
        one.close()


def test_the_environment_arms_each_action(reachers: list[Reacher]) -> None:
    spec = (
        f"{COMMIT}=kill@3; {PUBLISH}=error*2; {SYNC}=error; spool.append.before=disk-full; log.commit.after=disk-full;"
    )
    spec += "inbox.claim.after=error(internal)@2; outbox.publish.before=delay(1ms)"
    reachers.append(one := Reacher(SLIPWAY_FAILPOINTS=spec))
    assert [one.reach(PUBLISH) for _ in range(3)] == ["Away UNAVAILABLE", "Away UNAVAILABLE", "passed"]
    assert [one.reach(SYNC) for _ in range(2)] == [f"OSError {errno.EIO}"] * 2
    assert one.reach("spool.append.before") == f"OSError {errno.ENOSPC}"
    assert one.reach("log.commit.after") == "Full RESOURCE_EXHAUSTED"
    assert [one.reach("inbox.claim.after") for _ in range(3)] == ["passed", "Broken INTERNAL", "Broken INTERNAL"]
    assert one.reach("outbox.publish.before") == "passed"
    assert [one.reach(COMMIT) for _ in range(3)] == ["passed", "passed", ""]
    assert one.process.wait(30) == -signal.SIGKILL


def test_a_file_arms_a_running_process_and_a_kill_is_gone_for_the_next(reachers: list[Reacher], tmp_path: Path) -> None:
    file = tmp_path / "failpoints"
    reachers.append(first := Reacher(SLIPWAY_FAILPOINTS_FILE=str(file)))
    assert first.reach(COMMIT) == "passed"
    arm(file, f"{COMMIT}=kill@2; {PUBLISH}=error")
    assert first.reach(PUBLISH) == "Away UNAVAILABLE"
    assert first.reach(COMMIT) == "passed"
    assert first.reach(COMMIT) == ""
    assert first.process.wait(30) == -signal.SIGKILL
    assert armed(file) == parse(f"{PUBLISH}=error", "spec")
    reachers.append(second := Reacher(SLIPWAY_FAILPOINTS_FILE=str(file)))
    assert [second.reach(name) for name in (COMMIT, COMMIT, PUBLISH)] == ["passed", "passed", "Away UNAVAILABLE"]
    disarm(file)
    assert second.reach(PUBLISH) == "passed"


def test_processes_that_share_a_file_share_its_count(reachers: list[Reacher], tmp_path: Path) -> None:
    file = tmp_path / "failpoints"
    arm(file, f"{COMMIT}=error*5")
    reachers += [Reacher(SLIPWAY_FAILPOINTS_FILE=str(file)) for _ in range(2)]
    for one in reachers:
        for _ in range(5):
            one.send(COMMIT)
    said = [one.said() for one in reachers for _ in range(5)]
    assert sorted(said) == ["Away UNAVAILABLE"] * 5 + ["passed"] * 5
    assert armed(file) == ()


def test_what_stands_in_the_file_unchanged_keeps_its_count(reachers: list[Reacher], tmp_path: Path) -> None:
    file = tmp_path / "failpoints"
    arm(file, f"{COMMIT}=error@2*1")
    reachers.append(one := Reacher(SLIPWAY_FAILPOINTS_FILE=str(file)))
    assert one.reach(COMMIT) == "passed"
    arm(file, f"{COMMIT}=error@2*1; {PUBLISH}=error")
    assert [one.reach(COMMIT) for _ in range(2)] == ["Away UNAVAILABLE", "passed"]


def test_a_file_that_can_not_be_read_arms_nothing_in_a_running_process(reachers: list[Reacher], tmp_path: Path) -> None:
    file = tmp_path / "failpoints"
    arm(file, f"{COMMIT}=error")
    reachers.append(one := Reacher(SLIPWAY_FAILPOINTS_FILE=str(file)))
    assert one.reach(COMMIT) == "Away UNAVAILABLE"
    file.write_text("sql.commit.after: error")
    assert one.reach(COMMIT) == "passed"
    arm(file, f"{COMMIT}=error")
    assert one.reach(COMMIT) == "Away UNAVAILABLE"


def test_stop_stops_before_the_next_line_and_goes_on(reachers: list[Reacher], tmp_path: Path) -> None:
    file = tmp_path / "failpoints"
    arm(file, f"{COMMIT}=stop")
    reachers.append(one := Reacher(SLIPWAY_FAILPOINTS_FILE=str(file)))
    one.send(COMMIT)
    _, status = os.waitpid(one.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert os.WSTOPSIG(status) == signal.SIGSTOP
    assert armed(file) == ()
    one.process.send_signal(signal.SIGCONT)
    assert one.said() == "passed"
    assert one.reach(COMMIT) == "passed"


def test_arming_a_file_refuses_what_no_process_could_read(tmp_path: Path) -> None:
    file = tmp_path / "failpoints"
    arm(file, f"{COMMIT}=kill")
    with pytest.raises(InvalidInput):
        arm(file, "nowhere=kill")
    assert armed(file) == (Entry(COMMIT, Action.KILL, times=1),)


async def test_a_delay_lets_the_event_loop_go_on_where_it_may() -> None:
    with arming(f"{COMMIT}=delay(20ms); {PUBLISH}=delay(20ms)"):
        other = asyncio.create_task(asyncio.sleep(0))
        hit(COMMIT)
        assert not other.done()
        await hit_async(PUBLISH)
        assert other.done()


async def test_what_is_armed_in_a_test_ends_with_it() -> None:
    with arming(f"{COMMIT}=error"), pytest.raises(SlipwayError) as failed:
        await hit_async(COMMIT)
    assert failed.value.kind is Kind.UNAVAILABLE
    assert failed.value.reason == "FAILPOINT"
    await hit_async(COMMIT)
    with pytest.raises(InvalidInput), arming("nowhere=kill"):
        pass
    hit(COMMIT)


def test_serving_refuses_a_spec_that_can_not_be_read(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("slipway-registry")), "serve"]
    environment = {**os.environ, "SLIPWAY_DATA": str(tmp_path), "SLIPWAY_FAILPOINTS": "sql.comit.after=kill"}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert "SLIPWAY_FAILPOINTS: 'sql.comit.after' is no failpoint (did you mean sql.commit.after?)" in told.stderr
    assert not list(tmp_path.iterdir())
