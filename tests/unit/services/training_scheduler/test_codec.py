from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.training_scheduler.codec import encode_change
from services.training_scheduler.domain.rules import MAX_ERROR
from services.training_scheduler.domain.run import Attempt, AttemptState, Run, RunState, Step, StepState
from slipway.events.port import DEFAULT_LIMIT_BYTES
from slipway.workflow import define, params, summary

NOW = datetime(2013, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
ERROR = "\U0001f6a2" * MAX_ERROR


def largest(limit: int) -> dict[str, Any]:
    """The JSON object of that size whose Struct is largest: a list of numbers, three characters each."""
    values: dict[str, Any] = {"a": [0] * ((limit - 10) // 3)}
    assert limit - 5 <= len(json.dumps(values)) <= limit
    return values


def test_the_event_of_the_largest_run_is_not_too_large() -> None:
    attempt = Attempt("t", 3, AttemptState.SUCCEEDED, NOW)
    told = [Step("s" * 128, StepState.SUCCEEDED, (attempt,), NOW, "sha256:" + "0" * 64, largest(summary.MAX_BYTES))]
    failed = replace(told[0], summary=None, output_digest="", attempts=(replace(attempt, error=ERROR),))
    for steps in (told * define.MAX_STEPS, [failed] * define.MAX_STEPS):
        run = Run(
            "run-0123456789abcdef",
            "w" * 128,
            "",
            largest(params.MAX_BYTES),
            RunState.FAILED,
            tuple(steps),
            NOW,
            NOW,
            ERROR,
        )
        _, _, _, value = encode_change(run)
        assert len(value) < DEFAULT_LIMIT_BYTES
