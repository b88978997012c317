"""Printing what a run's steps printed and logged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from slipway.errors import Kind, SlipwayError

if TYPE_CHECKING:
    from slipway.client import LogLine, Slipway


def show_logs(slipway: Slipway, run_id: str, step: str, *, follow: bool, as_json: bool) -> None:
    """Print lines as they come: the text after its step and attempt, or an object a line."""
    shown = 0
    while True:
        seen = 0
        try:
            with slipway.training.logs(run_id, step=step, follow=follow) as parts:
                for lines in parts:
                    for line in lines:
                        seen += 1
                        if seen > shown:
                            _print(line, as_json=as_json)
                            shown = seen
            return
        except SlipwayError as error:
            # The scheduler was restarted. Its lines of several steps may come in another order, hence only of one.
            if not follow or not step or error.kind is not Kind.UNAVAILABLE:
                raise
            slipway.training.get_run(run_id)  # tried again by the client, so that a short absence is waited out


def _print(line: LogLine, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"step": line.step, "attempt": line.attempt, "text": line.text}))
    else:
        click.echo(f"{line.step}.{line.attempt} | {line.text}")
