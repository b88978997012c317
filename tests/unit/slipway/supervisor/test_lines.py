from __future__ import annotations

import json

import click
import pytest

from slipway.supervisor.lines import as_json, readable

LOGGED = {
    "port": 50051,
    "services": ["a.B"],
    "why": "it is so",
    "time": "2013-01-01T10:00:00.123+00:00",
    "level": "warning",
    "service": "registry",
    "logger": "slipway.rpc.server",
    "message": "listening",
    "trace_id": "0" * 32,
}


def test_what_a_service_logged_reads_as_a_line() -> None:
    shown = click.unstyle(readable(json.dumps(LOGGED)))
    assert shown == '2013-01-01 10:00:00Z warning listening  port=50051  services=["a.B"]  why=it is so'


def test_a_traceback_stands_below_its_line() -> None:
    shown = readable(json.dumps(LOGGED | {"exception": "Traceback\n  File x\nValueError: y"}))
    assert shown.splitlines()[1:] == ["Traceback", "  File x", "ValueError: y"]


@pytest.mark.parametrize("line", ["# Redis is starting", "{broken", '["a list"]', '{"no": "text"}', ""])
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert readable(line) == line
    assert json.loads(as_json("redis", line)) == {"unit": "redis", "message": line}


def test_json_keeps_all_that_was_logged() -> None:
    assert json.loads(as_json("registry", json.dumps(LOGGED))) == {"unit": "registry"} | LOGGED
