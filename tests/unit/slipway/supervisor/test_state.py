from __future__ import annotations

import os

import pytest

from slipway.supervisor import discover, lock
from slipway.supervisor.proc import started_ticks
from slipway.supervisor.state import (
    State,
    SupervisorStatus,
    UnitStatus,
    clear_state,
    read_state,
    state_path,
    write_state,
)
from slipway.supervisor.status import current


def state(data, pid: int, ticks: int) -> State:
    unit = UnitStatus("registry", "serving", 1, 0, {"grpc": "127.0.0.1:7"}, None, None)
    return State(str(data), SupervisorStatus(pid, ticks, "2013-01-01T00:00:00+00:00"), (unit,), ())


@pytest.fixture
def data(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path


def test_state_reads_back(data):
    written = state(data, 5, 6)
    write_state(data, written)
    assert read_state(data) == written
    clear_state(data)
    clear_state(data)
    assert read_state(data) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 2}', '{"schema": 1}'])
def test_a_torn_or_foreign_state_is_no_state(data, text):
    state_path(data).write_text(text)
    assert read_state(data) is None
    assert current(data).supervisor is None


def test_discover_trusts_only_a_living_supervisor(data):
    ticks = started_ticks(os.getpid())
    write_state(data, state(data, os.getpid(), ticks))
    assert discover("registry", data=data) == "127.0.0.1:7"
    assert discover("registry", "http", data) is None
    assert discover("nobody", data=data) is None
    write_state(data, state(data, os.getpid(), ticks + 1))  # the pid was reused
    assert discover("registry", data=data) is None


def test_one_holds_the_lock(data):
    assert lock.holder(data) is None
    with lock.hold(data) as me:
        assert lock.holder(data) == me
        with pytest.raises(lock.AlreadyUp), lock.hold(data):
            pass
        assert "is starting" in current(data).note
    assert lock.holder(data) is None


def test_a_state_without_its_supervisor_is_told(data):
    write_state(data, state(data, 4_000_000, 1))
    found = current(data)
    assert found.supervisor is None
    assert "pid 4000000) died" in found.note
    assert found.services[0].name == "registry"
    assert {one.state for one in found.services} == {"stopped"}
