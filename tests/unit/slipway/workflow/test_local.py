from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from slipway.client import Slipway
from slipway.errors import InvalidInput
from slipway.workflow import NotStorable, RunCancelled, StepContext, run_locally, step, workflow


@dataclass(frozen=True)
class Params:
    start: int
    by: int = 2


@dataclass(frozen=True)
class Sum:
    total: int

    def summary(self) -> dict[str, int]:
        return {"total": self.total}


@step
def first(start: int) -> Sum:
    return Sum(start)


@step
def second(first: Sum, by: int, context: StepContext) -> Sum:
    context.log("adding", by=by)
    context.checkpoint()
    return Sum(first.total + by)


@step
def key(second: Sum, context: StepContext) -> str:
    return context.request_id


made = workflow("sums", [first, second, key], Params)


@pytest.mark.parametrize("params", [Params(1), {"start": 1}])
def test_runs_every_step_in_this_process(params: object) -> None:
    told: list[tuple[str, Mapping[str, Any]]] = []
    run = run_locally(made, params, run_id="r1", progress=lambda name, summary: told.append((name, summary)))
    assert run.outputs == {"first": Sum(1), "second": Sum(3), "key": "r1.key"}
    assert told == [("first", {"total": 1}), ("second", {"total": 3}), ("key", {})]
    assert run.summaries["second"] == {"total": 3}


def test_refuses_bad_params_before_the_first_step() -> None:
    with pytest.raises(InvalidInput, match=r"params\.start"):
        run_locally(made, {"start": "x"})


@step
def lies() -> int:
    return "text"  # type: ignore[return-value]


def test_an_output_that_could_not_be_stored_fails_here_too() -> None:
    with pytest.raises(NotStorable, match="output of lies"):
        run_locally(workflow("lie", [lies]))


@step
def asks(context: StepContext) -> bool:
    return context.slipway is context.slipway


def test_steps_find_the_client_they_are_given_or_one_of_this_machine() -> None:
    with Slipway(registry="127.0.0.1:1") as client:
        assert run_locally(workflow("ask", [asks]), slipway=client).outputs == {"asks": True}
    assert run_locally(workflow("ask", [asks])).outputs == {"asks": True}


def test_a_checkpoint_ends_a_cancelled_step() -> None:
    cancel = threading.Event()
    context = StepContext(workflow="w", run_id="r", step="s", attempt=1, code_digest="", connect=Slipway, cancel=cancel)
    context.checkpoint()
    cancel.set()
    assert context.cancelled()
    with pytest.raises(RunCancelled, match="'s'"):
        context.checkpoint()
