"""`slipway-training trigger`: what starts a run when an incident opens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from services.training_scheduler.cli.given import read
from slipway.cli import address_option, emit, emit_one, json_option

if TYPE_CHECKING:
    from slipway.client import Slipway, Trigger

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LENGTH = re.compile(r"(\d{1,5})([smhdw])", re.ASCII)
_ADDRESS = address_option("training_scheduler")


@click.group("trigger")
def trigger() -> None:
    """What starts a run when an incident opens: put, list, delete."""


def _client(address: str | None) -> Slipway:
    from slipway.client import Slipway  # noqa: PLC0415  (brings gRPC; the other verbs do without)

    return Slipway(training=address)


def _length(ctx: click.Context, param: click.Parameter, value: str) -> timedelta:
    found = _LENGTH.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no length of time; write 12h, 14d, or 0s for none")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


@trigger.command(
    "put",
    epilog="Example: slipway-training trigger put delay-drift --endpoint flight-delay --workflow flights-delay "
    "--cutoff-param evaluation_until --cool-down 28d",
)
@click.argument("name")
@click.option("--endpoint", required=True, metavar="NAME", help="Whose incidents it answers.")
@click.option("--workflow", required=True, metavar="NAME", help="What it starts.")
@click.option("-p", "--param", "given", multiple=True, metavar="NAME=VALUE", help="A parameter; JSON, or plain text.")
@click.option("--cutoff-param", default="", metavar="NAME", help="The parameter that gets the incident's trigger time.")
@click.option(
    "--cool-down",
    default="0s",
    show_default=True,
    callback=_length,
    metavar="LENGTH",
    help="Event time after an incident in which no other starts a run, such as 14d.",
)
@_ADDRESS
@json_option
def put(
    *,
    name: str,
    endpoint: str,
    workflow: str,
    given: Sequence[str],
    cutoff_param: str,
    cool_down: timedelta,
    address: str | None,
    as_json: bool,
) -> None:
    """Store trigger NAME, or replace it."""
    from slipway.client import Trigger  # noqa: PLC0415

    with _client(address) as slipway:
        params = read(given, slipway.training.workflows(), workflow) if given else {}
        made = Trigger(name, endpoint, workflow, params, cutoff_param, cool_down)
        emit_one(_row(slipway.training.put_trigger(made)), as_json=as_json)


@trigger.command("list", epilog="Example: slipway-training trigger list --json")
@_ADDRESS
@json_option
def list_(address: str | None, as_json: bool) -> None:
    """List triggers, and the run that each last started."""
    with _client(address) as slipway:
        rows = [_row(one) for one in slipway.training.triggers()]
    emit(rows, as_json=as_json, empty="no triggers; see slipway-training trigger put")


@trigger.command("delete", epilog="Example: slipway-training trigger delete delay-drift")
@click.argument("name")
@_ADDRESS
@json_option
def delete(name: str, address: str | None, as_json: bool) -> None:
    """Remove trigger NAME; runs that it started go on."""
    with _client(address) as slipway:
        slipway.training.delete_trigger(name)
    emit_one({"deleted": name}, as_json=as_json)


def _row(one: Trigger) -> dict[str, Any]:
    return {
        "name": one.name,
        "endpoint": one.endpoint,
        "workflow": one.workflow,
        "params": dict(one.params),
        "cutoff_param": one.cutoff_param,
        "cool_down_s": one.cool_down.total_seconds(),
        "last_incident": one.last_incident_id,
        "last_trigger_time": one.last_trigger_time,
        "last_run": one.last_run_id,
    }
