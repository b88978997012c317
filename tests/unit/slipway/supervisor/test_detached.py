from __future__ import annotations

import json

import pytest

from slipway.supervisor.detached import log_line
from slipway.supervisor.report import Failed, Message, Progress, Ready


@pytest.mark.parametrize(
    ("message", "level", "told"),
    [
        (Progress("monitor", "serving", None, 3.0), "info", "monitor is serving"),
        (Progress("monitor", "backoff", "killed by SIGKILL", 3.0), "warning", "monitor is backoff"),
        (Ready(4.0), "info", "everything serves"),
        (Failed("not serving: monitor", "UP_FAILED", "aborted", {}), "error", "not serving: monitor"),
    ],
)
def test_the_supervisors_log_reads_like_that_of_a_service(message: Message, level: str, told: str) -> None:
    line = json.loads(log_line(message))
    assert (line["level"], line["message"]) == (level, told)
    assert line["time"].endswith("+00:00")
    assert line.get("reason") == getattr(message, "reason", None) or isinstance(message, Failed)
