"""Answers as a table for people or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Into a pipe a row stays on one line, so that grep and cut work.
_PIPED_WIDTH = 10_000

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Add ``--json`` to a command, as its argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(command)


def emit(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str = "nothing yet") -> None:
    """Print rows: a JSON list, or a table whose columns are the keys of the first row."""
    if as_json:
        click.echo(json.dumps(list(rows), default=_plain, indent=2))
        return
    if not rows:
        click.echo(empty)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        # As Text: a value such as features[a] is not markup.
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    console.print(table)


def emit_one(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing: a JSON object, or a line a fact."""
    if as_json:
        click.echo(json.dumps(dict(facts), default=_plain, indent=2))
        return
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_cell(value)}")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, default=_plain)
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
