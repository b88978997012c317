"""``scripts/stack`` with real servers; all but one test name the run's own Kafka, which takes the longest to start."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import redis
from confluent_kafka.admin import AdminClient, NewTopic

from slipway.stack.run import FOLDER
from slipway.supervisor import status

_VARIABLES = ("SLIPWAY_KAFKA", "SLIPWAY_POSTGRES", "SLIPWAY_REDIS")


@dataclass
class Stack:
    """Runs ``scripts/stack`` on ``data``, with only the servers in ``named`` in its environment."""

    data: Path
    named: dict[str, str] = field(default_factory=dict)

    def run(self, verb: str, *args: str) -> subprocess.CompletedProcess[str]:
        command = [*self.command, verb, "--data", str(self.data), *args]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, check=False, timeout=120)

    def up(self, *args: str) -> dict[str, Any]:
        done = self.run("up", "--json", "--fast", *args)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def unit(self, name: str) -> dict[str, Any]:
        """A server as the state file has it now."""
        return backing(json.loads((self.data / "run" / "state.json").read_text()), name)

    command = (sys.executable, "-m", "slipway.stack")

    @property
    def env(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name not in (*_VARIABLES, FOLDER)} | self.named


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    made: list[Stack] = []

    def make(name: str = "stack", **named: str) -> Stack:
        made.append(Stack(tmp_path / name, named))
        return made[-1]

    yield make
    for one in made:
        status.stop(one.data, 20.0, lambda _: None)


def family(pid: int) -> set[psutil.Process]:
    """A supervisor and all below it; each is known by its start too, so that none is taken for another."""
    one = psutil.Process(pid)
    return {one, *one.children(recursive=True)}


def alive(processes: set[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


def backing(state: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in state["backing"] if one["name"] == name)


@pytest.fixture
def nobody_reaps() -> Iterator[None]:
    """Orphans come to this process, and stay zombies: as under a container's first process that is no init."""
    prctl, subreaper = ctypes.CDLL(None).prctl, 36
    assert prctl(subreaper, 1, 0, 0, 0) == 0
    mine = {one.pid for one in psutil.Process().children()}
    yield
    assert prctl(subreaper, 0, 0, 0, 0) == 0
    for one in psutil.Process().children():
        if one.pid not in mine:
            os.waitpid(one.pid, os.WNOHANG)


def test_what_was_acknowledged_is_there_after_servers_and_supervisor_are_killed(stack, wait, nobody_reaps):
    one = stack()
    first = one.up()
    assert {each["name"] for each in first["backing"]} == {"kafka", "postgres", "redis"}
    addresses = first["servers"]
    admin = AdminClient({"bootstrap.servers": addresses["SLIPWAY_KAFKA"]})
    admin.create_topics([NewTopic("kept", 3)])["kept"].result(30)
    with psycopg.connect(addresses["SLIPWAY_POSTGRES"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    assert redis.Redis.from_url(addresses["SLIPWAY_REDIS"]).ping()
    assert one.run("kafka", "topics", "--list").stdout == "kept\n"

    postgres = psutil.Process(backing(first, "postgres")["pid"])
    assert 0 not in postgres.uids()
    postgres.kill()
    wait(lambda: one.unit("postgres")["restarts"] == 1 and one.unit("postgres")["state"] == "serving")
    with psycopg.connect(addresses["SLIPWAY_POSTGRES"]) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)

    left = family(first["supervisor"]["pid"])
    assert len(left) > 6
    os.kill(first["supervisor"]["pid"], signal.SIGKILL)
    wait(lambda: not alive(left))
    assert one.run("status").returncode == 3

    second = one.up()
    admin = AdminClient({"bootstrap.servers": second["servers"]["SLIPWAY_KAFKA"]})
    assert len(admin.list_topics(timeout=30).topics["kept"].partitions) == 3
    with psycopg.connect(second["servers"]["SLIPWAY_POSTGRES"]) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)
    left = family(second["supervisor"]["pid"])
    assert one.run("down").stdout == "down\n"
    assert alive(left) == []
    assert one.run("status").returncode == 3


def test_two_stacks_run_side_by_side_and_each_ends_its_own(stack, kafka_servers, postgres_url):
    named = {"SLIPWAY_KAFKA": kafka_servers, "SLIPWAY_POSTGRES": postgres_url}
    one, other = stack("one", **named), stack("other", **named)
    first, second = one.up(), other.up()
    assert first["elsewhere"] == dict.fromkeys(("kafka", "postgres"), "the environment")
    assert first["servers"] == {**named, "SLIPWAY_REDIS": f"redis://{one.unit('redis')['endpoints']['tcp']}/0"}
    assert f"named by the environment: {kafka_servers}" in one.run("status").stdout
    again = one.run("up")
    assert again.stdout == "".join(f"export {name}={value}\n" for name, value in first["servers"].items())

    left = family(first["supervisor"]["pid"])
    assert one.run("down").returncode == 0
    assert alive(left) == []
    assert redis.Redis.from_url(second["servers"]["SLIPWAY_REDIS"]).ping()


def test_a_taken_port_is_refused_before_anything_starts(stack, kafka_servers, postgres_url):
    one = stack(SLIPWAY_KAFKA=kafka_servers, SLIPWAY_POSTGRES=postgres_url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = one.run("up", "--port", f"redis.tcp={port}")
    assert done.returncode == 1
    assert f"port {port}, the tcp port of redis, can't be bound" in done.stderr
    assert one.run("status").returncode == 3


def test_a_broken_start_names_the_part_its_code_and_how_its_log_ends(stack, tmp_path, postgres_url, redis_url):
    java = tmp_path / "home" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\necho no room for a broker\nexit 3\n")
    java.chmod(0o755)
    one = stack(SLIPWAY_POSTGRES=postgres_url, SLIPWAY_REDIS=redis_url, JAVA_HOME=str(tmp_path / "home"))
    done = one.run("up")
    assert done.returncode == 1
    assert "not serving: kafka" in done.stderr
    assert "its preparation exited with code 3; its log" in done.stderr
    assert "| no room for a broker" in done.stderr
    assert done.stdout == ""
    assert one.run("status").returncode == 3


_ASK = """
import os, pathlib, sys
from slipway.stack.run import servers
print(servers(pathlib.Path(os.environ["SLIPWAY_STACK"]))["SLIPWAY_REDIS"], os.environ["SLIPWAY_STACK"], flush=True)
{then}
"""


def asking(stack: Stack, then: str) -> subprocess.Popen[str]:
    command = [*stack.command, "run", "--fast", sys.executable, "-c", _ASK.format(then=then)]
    return subprocess.Popen(command, env=stack.env, stdout=subprocess.PIPE, text=True, start_new_session=True)


def test_a_command_gets_a_stack_for_its_time_and_its_exit_code_passes(stack, kafka_servers, postgres_url):
    one = stack(SLIPWAY_KAFKA=kafka_servers, SLIPWAY_POSTGRES=postgres_url)
    with asking(one, "sys.exit(5)") as process:
        url, folder = (process.stdout.readline()).split()
        assert process.wait(60) == 5
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(url).ping()
    assert not Path(folder).exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_stack_ends_with_its_command_however_that_ends(stack, wait, kafka_servers, postgres_url, number):
    one = stack(SLIPWAY_KAFKA=kafka_servers, SLIPWAY_POSTGRES=postgres_url)
    with asking(one, "sys.stdin.read(); import time; time.sleep(100)") as process:
        url, folder = (process.stdout.readline()).split()
        assert redis.Redis.from_url(url).ping()
        left = {psutil.Process(int(redis.Redis.from_url(url).info("server")["process_id"]))}
        if number is signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        if number is signal.SIGKILL:
            wait(lambda: not alive(left))
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
    assert alive(left) == []
    assert Path(folder).exists() == (number is signal.SIGKILL)


@pytest.mark.parametrize(("ci", "outcome", "code"), [("", "1 skipped", 0), ("true", "1 error", 1)])
def test_without_a_server_a_test_is_skipped_and_fails_where_ci_is_true(stack, ci, outcome, code):
    case = "tests/unit/slipway/supervisor/test_servers.py::test_a_port_of_a_server_that_is_elsewhere_can_not_be_chosen"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", case]
    done = subprocess.run(command, env={**stack().env, "CI": ci}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1].startswith(outcome)) == (code, True)
    assert "run scripts/test, or scripts/stack up" in done.stdout
