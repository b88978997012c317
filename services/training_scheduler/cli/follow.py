"""Following a run in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from services.training_scheduler.cli.show import said, seconds
from slipway.errors import Kind, SlipwayError

if TYPE_CHECKING:
    from slipway.client import Run, Slipway, Step

_SIGNS = {
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("-", "dim"),
    "waiting": ("·", "dim"),
}


def follow(slipway: Slipway, run: Run) -> Run:
    """Show each step's progress on stderr until the run has ended, and give it as it ended.

    A terminal is drawn anew with each change; anything else gets a line when a step changes its state.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        return _in_lines(slipway, run, console)
    with Live(_drawn(run), console=console, refresh_per_second=8) as live:
        for state in _states(slipway, run):
            run = state
            live.update(_drawn(run))
    return run


def _in_lines(slipway: Slipway, run: Run, console: Console) -> Run:
    told: dict[str, str] = {}
    for state in _states(slipway, run):
        run = state
        for step in run.steps:
            if told.get(step.name, "waiting") != step.state:
                told[step.name] = step.state
                line = f"{run.id} {step.name}: {step.state} {said(step)}".rstrip()
                console.print(line, markup=False, highlight=False, soft_wrap=True)
    return run


def _states(slipway: Slipway, run: Run) -> Iterator[Run]:
    """Each state of the run, across restarts of the scheduler."""
    while not run.state.final:
        try:
            with slipway.training.watch(run.id) as states:
                for state in states:
                    run = state
                    yield run
        except SlipwayError as error:
            if error.kind is not Kind.UNAVAILABLE:
                raise
            # The client tries this one again by itself, so that a short absence is waited out.
            run = slipway.training.get_run(run.id)
            yield run


def _drawn(run: Run) -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False)
    for step in run.steps:
        table.add_row(_sign(step), Text(step.name), _took(step), Text(said(step), style="dim"))
    return Group(Text(f"{run.workflow} {run.id} {run.state}", style="bold"), table)


def _sign(step: Step) -> RenderableType:
    if step.state == "running":
        return Spinner("dots", style="cyan")
    sign, style = _SIGNS.get(step.state, ("?", "dim"))
    return Text(sign, style=style)


def _took(step: Step) -> Text:
    took = seconds(step)
    tries = f" (attempt {step.attempts})" if step.attempts > 1 else ""
    return Text("" if took is None else f"{took:.1f} s{tries}" if step.attempts else "")
