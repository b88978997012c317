"""A workflow whose second step waits for a file, for the tests that kill processes meanwhile."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path

from slipway.workflow import StepContext, step, workflow


@dataclass(frozen=True)
class Params:
    """The folder of the journal and of the file that lets the second step go on; its name."""

    folder: str
    gate: str


@step
def first(folder: str) -> int:
    """Begin."""
    print(f"printed in {Path(folder).name}")
    os.write(1, b"written below Python\n")
    return 1


@step
def second(first: int, folder: str, gate: str, context: StepContext) -> int:
    """Note that it runs, and wait."""
    with (Path(folder) / "journal").open("a", encoding="utf-8") as journal:
        journal.write(f"{gate} {context.attempt} {os.getpid()}\n")
    context.log("waiting", gate=gate)
    while not (Path(folder) / gate).exists():
        threading.Event().wait(0.02)
    return first + 1


held = workflow("held", [first, second], Params)
