"""A click group whose errors read like help."""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

import click

from slipway.errors import Kind, SlipwayError

_CODES = {
    Kind.INVALID_ARGUMENT: 2,
    Kind.OUT_OF_RANGE: 2,
    Kind.NOT_FOUND: 3,
    Kind.UNAVAILABLE: 4,
    Kind.DEADLINE_EXCEEDED: 4,
}


def exit_code(error: SlipwayError) -> int:
    """What a command that ends with ``error`` exits with."""
    return _CODES.get(error.kind, 1)


class Group(click.Group):
    """A group of commands; a :class:`SlipwayError` from any of them becomes a message and an exit code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 100})
        super().__init__(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except SlipwayError as error:
            _refuse(error, as_json="--json" in sys.argv)


def _refuse(error: SlipwayError, *, as_json: bool) -> NoReturn:
    if as_json:
        told = {
            "kind": error.kind.value,
            "reason": error.reason,
            "message": error.message,
            "violations": [{"field": one.field, "description": one.description} for one in error.violations],
            "facts": error.facts,
        }
        click.echo(json.dumps({"error": told}), err=True)
    else:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {error.message}", err=True)
        for one in error.violations:
            if f"{one.field}: {one.description}" not in error.message:
                click.echo(f"  {one.field}: {one.description}", err=True)
        if error.retry_after_s is not None:
            click.echo(f"  try again in {error.retry_after_s:g} s", err=True)
    raise SystemExit(exit_code(error))
