"""The verbs about values online: read, write, how far they have come, and what holds them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from services.feature_serving.cli.connect import ADDRESS, connect
from slipway.cli import emit, emit_one, json_option

if TYPE_CHECKING:
    from typing import TextIO


@click.command("store", epilog="Example: slipway-features store --json")
@ADDRESS
@json_option
def store(address: str | None, as_json: bool) -> None:
    """Say whether the online store answers just now, and what it holds."""
    with connect(address) as slipway:
        emit_one(asdict(slipway.features.online_store()), as_json=as_json)


@click.command(
    "get", epilog="Example: slipway-features get late_arrivals --key tailnum=N14228 --at 2013-06-01T12:00:00Z"
)
@click.argument("features", nargs=-1, required=True, metavar="SERVICE|VIEW:FEATURE...")
@click.option(
    "keys", "--key", multiple=True, required=True, metavar="ENTITY=TEXT|ENTITY:=NUMBER", help="An entity of the row."
)
@click.option("moment", "--at", metavar="TIME", help="Measure ages from here, such as 2013-06-01T12:00:00Z; else now.")
@ADDRESS
@json_option
def get(
    features: tuple[str, ...], keys: tuple[str, ...], moment: str | None, address: str | None, as_json: bool
) -> None:
    """Read features online, of a feature service or named one by one, with what each is and when it was true."""
    from services.feature_serving.cli import rows  # noqa: PLC0415

    asked = features[0] if len(features) == 1 and ":" not in features[0] else list(features)
    entities = [dict(rows.key(one) for one in keys)]
    at = None if moment is None else rows.moment("--at", moment)
    with connect(address) as slipway:
        found = slipway.features.get_online(asked, entities, event_times=at)
    shown = [
        {
            "feature": one.name,
            "value": one.values[0],
            "status": one.statuses[0].value,
            "event_time": one.event_times[0],
        }
        for one in found.columns.values()
    ]
    emit(shown, as_json=as_json)


@click.command("push", epilog="Example: slipway-features push planes rows.jsonl")
@click.argument("view")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option(
    "complete_until", "--complete-until", metavar="TIME", help="No older row is to come, such as 2013-01-01T06:00:00Z."
)
@ADDRESS
@json_option
def push(view: str, file: TextIO, complete_until: str | None, address: str | None, as_json: bool) -> None:
    """Write the rows of FILE (- for stdin) to the online store: a JSON object a line, its event_time beside them.

    \b
    {"tailnum": "N14228", "seats": 149, "event_time": "2013-01-01T05:15:00Z"}

    Rows of a windowed view are events, in order of time: they hold the columns that it aggregates, and its values
    change when the newest row, or --complete-until, has passed a hop's end.
    """  # noqa: D301
    from services.feature_serving.cli import rows  # noqa: PLC0415

    with connect(address) as slipway:
        given = rows.read(file, slipway.features.get_view(view))
        until = None if complete_until is None else rows.moment("--complete-until", complete_until)
        done = [slipway.features.push(view, part.entities, part.features, part.event_times) for part in given]
        if until is not None:
            done.append(slipway.features.push(view, [], [], [], complete_until=until))
    total = {"applied": sum(one.applied for one in done), "late": sum(one.late for one in done)}
    emit_one(total, as_json=as_json)


@click.command("watermarks", epilog="Example: slipway-features watermarks --json")
@ADDRESS
@json_option
def watermarks(address: str | None, as_json: bool) -> None:
    """Say how far each view's rows have come."""
    with connect(address) as slipway:
        rows = [asdict(one) for one in slipway.features.watermarks()]
    emit(rows, as_json=as_json, empty="no view got a row yet; see slipway-features push --help")


VERBS = (store, get, push, watermarks)
