from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("child.py")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(CHILD), *arguments], capture_output=True, text=True, check=False)


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_every_line_is_json_with_its_trace_and_facts() -> None:
    ended = run("lines", "127.0.0.1:0")
    assert ended.returncode == 0, ended.stderr
    lines = {line["message"]: line for line in map(json.loads, ended.stderr.splitlines())}
    assert "too quiet" not in lines
    assert "trace_id" not in lines["outside"]
    inside = lines["inside a call"]
    assert inside["trace_id"] == ended.stdout.strip()
    assert (inside["rows"], inside["service"], inside["logger"], inside["level"]) == (3, "test-service", "test", "info")
    assert inside["half"] == "\ud800"
    assert "ValueError: bad" in lines["failed"]["exception"]
    assert lines["failed"]["level"] == "error"
    assert lines["serving metrics"]["port"] > 0


def test_metrics_are_read_on_their_own_port() -> None:
    ended = run("counts", free_address())
    assert 'test_rows_total{kind="good"' in ended.stdout, ended.stderr
    assert 'service_name="test-service"' in ended.stdout


@pytest.mark.parametrize(
    ("ratio", "least", "most"), [(None, 1000, 1000), (1.0, 1000, 1000), (0.25, 100, 400), (0.0, 0, 0)]
)
def test_a_share_of_what_brings_no_trace_is_traced_and_a_callers_wish_is_heeded(
    ratio: float | None, least: int, most: int
) -> None:
    given = [] if ratio is None else [f"sampling_ratio={ratio}"]
    ended = run("sampled", "127.0.0.1:0", f"otlp_endpoint=http://{free_address()}", *given)
    own, wanted, unwanted = map(int, ended.stdout.split())
    assert least <= own <= most
    assert (wanted, unwanted) == (1000, 0)


def test_nothing_is_recorded_where_it_would_go_nowhere() -> None:
    assert run("sampled", "127.0.0.1:0").stdout.split() == ["0", "0", "0"]


def test_a_taken_metrics_port_is_told_by_its_number_and_key() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen(1)
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        ended = run("lines", address)
    assert ended.returncode == 1
    assert f"PORT_TAKEN: can't serve metrics on {address}" in ended.stderr
    assert "observe.metrics_listen" in ended.stderr
    assert "Traceback" not in ended.stderr
