"""Commands whose errors read like help."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import click

from slipway.errors import FieldViolation, InvalidInput, Kind, SlipwayError

_CODES = {
    Kind.INVALID_ARGUMENT: 2,
    Kind.OUT_OF_RANGE: 2,
    Kind.NOT_FOUND: 3,
    Kind.UNAVAILABLE: 4,
    Kind.DEADLINE_EXCEEDED: 4,
}

_AS_JSON = "slipway.cli.as_json"


def exit_code(error: SlipwayError) -> int:
    """What a command that ends with ``error`` exits with."""
    return _CODES.get(error.kind, 1)


class _Refusing(click.Command):
    """Turns a :class:`SlipwayError` into a message, or JSON, and an exit code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 100})
        super().__init__(*args, **kwargs)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether JSON is asked for, before anything can go wrong."""
        ctx.meta[_AS_JSON] = ctx.meta.get(_AS_JSON, False) or "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        as_json: bool = ctx.meta[_AS_JSON]
        try:
            return super().invoke(ctx)
        except SlipwayError as error:
            _refuse(error, as_json=as_json)
        except click.UsageError as error:
            if not as_json:
                raise
            _refuse(_usage(error), as_json=True)


class Command(_Refusing):
    """A command that stands alone, with the errors and exit codes of a :class:`Group`."""


class Group(_Refusing, click.Group):
    """A group of commands; a :class:`SlipwayError` from any of them becomes a message and an exit code."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs, each with its whole first sentence."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, one.get_short_help_str(limit=200)) for name, one in found if one is not None and not one.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _usage(error: click.UsageError) -> SlipwayError:
    name = error.param.opts[0] if isinstance(error, click.BadParameter) and error.param else ""
    told = error.format_message()
    return InvalidInput(told, violations=[FieldViolation(name, told)] if name else ())


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
