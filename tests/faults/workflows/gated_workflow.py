"""Workflows whose steps wait at a gate, note what they do, or kill their process."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from slipway.workflow import StepContext, step, workflow


@dataclass(frozen=True)
class Params:
    """The folder with the gates (FIFOs named as their steps) and the journal."""

    folder: str


def _pass(folder: str, context: StepContext) -> str:
    with (Path(folder) / "journal").open("a", encoding="utf-8") as journal:
        journal.write(f"{context.step} {context.attempt} {context.request_id}\n")
    # Blocks until the test writes to the gate: each byte lets one attempt pass.
    with (Path(folder) / context.step).open("rb", buffering=0) as gate:
        return gate.read(1).decode()


@step
def first(folder: str, context: StepContext) -> str:
    """Wait at the first gate."""
    return _pass(folder, context)


@step
def second(first: str, folder: str, context: StepContext) -> str:
    """Wait at the second gate."""
    return first + _pass(folder, context)


@step
def third(second: str, folder: str, context: StepContext) -> str:
    """Wait at the third gate."""
    return second + _pass(folder, context)


@step
def plain() -> str:
    """Wait for nothing."""
    return "done"


@step
def deadly() -> None:
    """Take the process along."""
    os.kill(os.getpid(), signal.SIGKILL)


gated = workflow("gated", [first, second, third], Params)
poison = workflow("poison", [deadly])
quick = workflow("quick", [plain])
