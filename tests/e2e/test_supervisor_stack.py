"""``slipway up --profile stack`` with stand-in services: what they are handed, and whose servers these are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from slipway.supervisor import discover_events, status
from slipway.supervisor.fleet import FLEET
from slipway.supervisor.postgres import database_url
from slipway.supervisor.variables import VARIABLES

_DATABASES = {one.name: f"slipway_{one.name}" for one in FLEET.services if one.tables}


@pytest.fixture
def named(monkeypatch, kafka_servers, postgres_url, redis_url) -> Iterator[dict[str, str]]:
    """All three servers in the environment; the databases that the fleet makes there are dropped again."""
    servers = {"SLIPWAY_KAFKA": kafka_servers, "SLIPWAY_POSTGRES": postgres_url, "SLIPWAY_REDIS": redis_url}
    for name, value in servers.items():
        monkeypatch.setenv(name, value)
    _drop(postgres_url)
    yield servers
    _drop(postgres_url)


def _drop(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in _DATABASES.values():
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_services_get_the_servers_that_the_environment_names(slipway, named, monkeypatch):
    monkeypatch.setenv("SLIPWAY_MONITOR_DATABASE", "postgresql://me@elsewhere:1/mine")
    up = slipway.up("--profile", "stack", "--without", "ray")
    assert (up["profile"], up["backing"], up["servers"]) == ("stack", [], named)
    assert up["elsewhere"] == dict.fromkeys(VARIABLES, "the environment")
    handed = {name: json.loads((slipway.control / f"{name}.json").read_text())["env"] for name in _DATABASES}
    for name, env in handed.items():
        assert env["SLIPWAY_EVENTS"] == discover_events(slipway.data) == f"kafka://{named['SLIPWAY_KAFKA']}"
        assert env["SLIPWAY_REDIS"] == named["SLIPWAY_REDIS"]
        assert "SLIPWAY_POSTGRES" not in env
        own = "postgresql://me@elsewhere:1/mine"
        if name != "monitor":
            own = database_url(named["SLIPWAY_POSTGRES"], _DATABASES[name])
            with psycopg.connect(own) as connection:
                assert connection.execute("SELECT current_database()").fetchone() == (_DATABASES[name],)
        assert env[f"SLIPWAY_{name.upper()}_DATABASE"] == own

    other = slipway.run("up", "--detach")
    assert (other.returncode, "in the stack profile" in other.stderr) == (1, True)
    assert slipway.run("down").returncode == 0
    assert discover_events(slipway.data) is None


def test_services_share_the_stack_of_their_data_root_and_leave_it_up(slipway, named, monkeypatch):
    root = slipway.data / "stack"
    monkeypatch.delenv("SLIPWAY_REDIS")
    command = [sys.executable, "-m", "slipway.stack", "up", "--json", "--data", str(root)]
    stack = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    try:
        up = slipway.up("--profile", "stack", "--without", "ray")
        assert (up["backing"], up["servers"]) == ([], stack["servers"])
        assert up["elsewhere"] == dict.fromkeys(VARIABLES, f"the stack on {root}")
        assert slipway.run("down").returncode == 0
        assert status.current(root).all_serving()
    finally:
        status.stop(root, 20.0, lambda _: None)
