"""Progress on stderr: a line a step, with its time and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text


class Screen:
    """What the teller of a story says while it runs; ``seconds`` has each step's time by its name."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.seconds: dict[str, float] = {}
        self._status: Status | None = None
        self._title = ""
        self._noted = 0.0

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[list[str]]:
        """One step; the text put into the list is shown when it ends."""
        told: list[str] = []
        began = time.perf_counter()
        self._title = title
        with self.console.status(title) as self._status:
            yield told
        self.seconds[name] = round(time.perf_counter() - began, 2)
        done = f"[green]✓[/] {title} [dim]({self.seconds[name]:.1f} s)[/] {' '.join(told)}"
        self.console.print(done.rstrip(), soft_wrap=True)

    def said(self, line: str) -> None:
        """Show what happened, above the running step."""
        self.console.print(Text(f"  {line.rstrip()}", style="dim"), soft_wrap=True)

    def note(self, text: str) -> None:
        """Say how the running step stands; what comes within a tenth of a second of the last note is passed over."""
        now = time.perf_counter()
        if self._status is not None and text and now - self._noted > 0.1:
            self._noted = now
            self._status.update(f"{self._title} [dim]{text}[/]")
