"""A workflow of two steps that note in a file that they were run: what the scheduler's load has runs of."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from slipway.workflow import StepContext, step, workflow

_LASTS_S = 0.03  # long enough to be killed in, short enough for many runs a second


@dataclass(frozen=True)
class Params:
    """``journal``: the file that steps write to; ``key``: the request that the run was submitted under, if any."""

    journal: str
    key: str = ""


@step
def first(journal: str, context: StepContext) -> int:
    """Its own attempt."""
    _note(journal, context, None)
    return context.attempt


@step
def second(first: int, journal: str, context: StepContext) -> int:
    """The attempt of the first step whose output it was given."""
    _note(journal, context, first)
    return first


def _note(journal: str, context: StepContext, seen: int | None) -> None:
    run_id = context.request_id.rpartition(".")[0]
    line = {"run": run_id, "step": context.step, "attempt": context.attempt, "seen": seen}
    with open(journal, "a", encoding="utf-8") as file:  # noqa: PTH123
        file.write(json.dumps(line) + "\n")
    time.sleep(_LASTS_S)


noting = workflow("noting", [first, second], Params)
