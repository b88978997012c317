"""Answers as a table for people or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

# Into a pipe a row stays on one line, so that grep and cut work.
_PIPED_WIDTH = 10_000
# A column up to here keeps its cells whole where a wider one beside it can be folded instead.
_WHOLE = 24

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """Add ``--json`` to a command, as its argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(command)


def emit(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str = "nothing yet") -> None:
    """Print rows: a JSON list, or a table whose columns are the keys of the first row.

    The table leaves out a column that has nothing to say in any row.
    """
    if as_json:
        click.echo(json.dumps(list(rows), default=_plain, indent=2))
        return
    if not rows:
        click.echo(empty)
        return
    _print_table([{name: _cell(value) for name, value in row.items()} for row in rows])


def emit_one(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing: a JSON object, or a line a fact."""
    if as_json:
        click.echo(json.dumps(dict(facts), default=_plain, indent=2))
        return
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_cell(value)}")


def figures(values: Mapping[str, Any]) -> str:
    """A mapping in a line for people, by name, so that two looks are alike."""
    return ", ".join(f"{name} {_cell(value)}" for name, value in sorted(values.items()))


def _print_table(rows: Sequence[Mapping[str, str]]) -> None:
    from rich.console import Console  # noqa: PLC0415  (slow to import; serving prints no table)
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH
    shown = [name for name in rows[0] if any(row[name] for row in rows)]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in shown}
    if sum(min(width, _WHOLE) + 2 for width in widths.values()) - 2 > console.width:
        _print_records(rows)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in shown:
        table.add_column(name.replace("_", " "), overflow="fold", no_wrap=widths[name] <= _WHOLE)
    for row in rows:
        # As Text: a value such as features[a] is not markup.
        table.add_row(*(Text(row[name]) for name in shown))
    console.print(table)


def _print_records(rows: Sequence[Mapping[str, str]]) -> None:
    """What is too wide for the terminal: each row as lines, an empty one between two."""
    for number, row in enumerate(rows):
        if number:
            click.echo()
        emit_one({name: value for name, value in row.items() if value}, as_json=False)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%SZ")
        case float():
            return f"{value:.6g}"
        case dict() | list() | tuple():
            return _several(value)
    return str(value)


def _several(values: Any) -> str:
    if isinstance(values, dict):
        return figures(values)
    if any(isinstance(one, (dict, list, tuple)) for one in values):
        return json.dumps(values, default=_plain)
    return ", ".join(_cell(one) for one in values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
