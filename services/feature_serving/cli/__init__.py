"""`slipway-features`: the operator's command."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.feature_serving.cli.training_sets import training_set
from services.feature_serving.config import FeatureServingConfig
from slipway.cli import ServiceCommand, address_option, emit, emit_one, json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import timedelta
    from typing import Any, TextIO

    from slipway.client import Feature, FeatureService, FeatureView, Slipway
    from slipway.sql import Migrations


def _serve() -> Callable[[FeatureServingConfig], Coroutine[Any, Any, None]]:
    from services.feature_serving.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


def _tables(config: FeatureServingConfig) -> tuple[str, Migrations]:
    from services.feature_serving.adapters.sql import MIGRATIONS  # noqa: PLC0415

    return config.database, MIGRATIONS


main = ServiceCommand(
    "slipway-features",
    help="The feature catalogue, and feature values online.",
    config=FeatureServingConfig,
    serve=_serve,
    tables=_tables,
).group()
main.add_command(training_set)


_ADDRESS = address_option("feature_serving")


def _client(address: str | None) -> Slipway:
    from slipway.client import Slipway  # noqa: PLC0415  (brings gRPC; the other verbs do without)

    return Slipway(features=address)


@main.command("compile", epilog="Example: slipway-features compile examples/flights/feature_repo --output flights.json")
@click.argument("repo", type=click.Path(path_type=Path, file_okay=False))
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file; else to stdout.")
def compile_(repo: Path, output: Path | None) -> None:
    """Say the definitions of a Feast repository in the catalogue's words: the JSON that apply takes.

    Feast is imported for it, in a process of its own; needs the 'definitions' extra. What the catalogue has no words
    for is refused by name.
    """
    from services.feature_serving.cli import compiler, definitions  # noqa: PLC0415

    text = compiler.compile_repository(repo, progress=lambda line: click.echo(line, err=True))
    definitions.parse(repo, json.loads(text))
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@main.command("apply", epilog="Example: slipway-features apply planes.toml")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE|REPO")
@_ADDRESS
@json_option
def apply(file: Path, address: str | None, as_json: bool) -> None:
    """Store the feature views of FILE, then its feature services, each all or none; again it changes nothing.

    FILE is TOML, or JSON as compile writes it. REPO is the folder of a Feast repository, compiled first.

    \b
    [[views]]
    name = "planes"
    owner = "fleet"
    entities = ["tailnum"]
    max_age_s = 604800
    [[views.features]]
    name = "seats"
    type = "int32"
    description = "Seats in the plane."
    fallback = 150  # read, and marked so, where there is no value
    [[services]]
    name = "late_arrivals"
    owner = "fleet"
    features = ["planes:seats"]

    A windowed view, whose rows are events, has besides:

    \b
    hop_s = 3600
    entity_types = ["string"]
    source = { path = "landings.parquet", event_time_column = "known_at" }
    [[views.aggregations]]
    feature = "mean_delay_24h"
    column = "arr_delay"
    function = "mean"
    window_s = 86400
    """  # noqa: D301  (click's mark for a paragraph that keeps its lines)
    from services.feature_serving.cli import compiler, definitions  # noqa: PLC0415

    if file.is_dir():
        text = compiler.compile_repository(file, progress=lambda line: click.echo(line, err=True))
        views, services = definitions.parse(file, json.loads(text))
    else:
        views, services = definitions.read(file)
    with _client(address) as slipway:
        with definitions.located(file, views):
            rows = [_row(one) for one in (slipway.features.apply(views) if views else [])]
        with definitions.located(file, services):
            stored = slipway.features.apply_services(services) if services else []
    # A feature service has no entities nor age of its own: its views have.
    rows += [{**dict.fromkeys(rows[0] if rows else ()), **_service_row(one)} for one in stored]
    emit(rows, as_json=as_json)


@main.command("views", epilog="Example: slipway-features views --json")
@_ADDRESS
@json_option
def views(address: str | None, as_json: bool) -> None:
    """List the feature views by name."""
    with _client(address) as slipway:
        rows = [_row(view) for view in slipway.features.views()]
    emit(rows, as_json=as_json, empty="no feature views yet; see slipway-features apply --help")


@main.command("view", epilog="Example: slipway-features view planes")
@click.argument("name")
@_ADDRESS
@json_option
def view(name: str, address: str | None, as_json: bool) -> None:
    """Show one feature view with its features."""
    with _client(address) as slipway:
        found = slipway.features.get_view(name)
    features = [_feature_row(one) for one in found.features]
    made = {
        "entity_types": [one.value for one in found.entity_types],
        "source": None if found.source is None else asdict(found.source),
        "aggregations": [{**asdict(one), "window": _seconds(one.window)} for one in found.aggregations],
        "hop_s": _seconds(found.hop),
    }
    emit_one({**_row(found), "description": found.description, "features": features, **made}, as_json=as_json)


@main.command("store", epilog="Example: slipway-features store --json")
@_ADDRESS
@json_option
def store(address: str | None, as_json: bool) -> None:
    """Say whether the online store answers just now, and what it holds."""
    with _client(address) as slipway:
        emit_one(asdict(slipway.features.online_store()), as_json=as_json)


@main.command("services", epilog="Example: slipway-features services --json")
@_ADDRESS
@json_option
def services(address: str | None, as_json: bool) -> None:
    """List the feature services by name."""
    with _client(address) as slipway:
        rows = [_service_row(service) for service in slipway.features.services()]
    emit(rows, as_json=as_json, empty="no feature services yet; see slipway-features apply --help")


@main.command(
    "get", epilog="Example: slipway-features get late_arrivals --key tailnum=N14228 --at 2013-06-01T12:00:00Z"
)
@click.argument("features", nargs=-1, required=True, metavar="SERVICE|VIEW:FEATURE...")
@click.option(
    "keys", "--key", multiple=True, required=True, metavar="ENTITY=TEXT|ENTITY:=NUMBER", help="An entity of the row."
)
@click.option("moment", "--at", metavar="TIME", help="Measure ages from here, such as 2013-06-01T12:00:00Z; else now.")
@_ADDRESS
@json_option
def get(
    features: tuple[str, ...], keys: tuple[str, ...], moment: str | None, address: str | None, as_json: bool
) -> None:
    """Read features online, of a feature service or named one by one, with what each is and when it was true."""
    from services.feature_serving.cli import rows  # noqa: PLC0415

    asked = features[0] if len(features) == 1 and ":" not in features[0] else list(features)
    entities = [dict(rows.key(one) for one in keys)]
    at = None if moment is None else rows.moment("--at", moment)
    with _client(address) as slipway:
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


@main.command("push", epilog="Example: slipway-features push planes rows.jsonl")
@click.argument("view")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option(
    "complete_until", "--complete-until", metavar="TIME", help="No older row is to come, such as 2013-01-01T06:00:00Z."
)
@_ADDRESS
@json_option
def push(view: str, file: TextIO, complete_until: str | None, address: str | None, as_json: bool) -> None:
    """Write the rows of FILE (- for stdin) to the online store: a JSON object a line, its event_time beside them.

    \b
    {"tailnum": "N14228", "seats": 149, "event_time": "2013-01-01T05:15:00Z"}

    Rows of a windowed view are events, in order of time: they hold the columns that it aggregates, and its values
    change when the newest row, or --complete-until, has passed a hop's end.
    """  # noqa: D301
    from services.feature_serving.cli import rows  # noqa: PLC0415

    with _client(address) as slipway:
        given = rows.read(file, slipway.features.get_view(view))
        until = None if complete_until is None else rows.moment("--complete-until", complete_until)
        done = [slipway.features.push(view, part.entities, part.features, part.event_times) for part in given]
        if until is not None:
            done.append(slipway.features.push(view, [], [], [], complete_until=until))
    total = {"applied": sum(one.applied for one in done), "late": sum(one.late for one in done)}
    emit_one(total, as_json=as_json)


@main.command("watermarks", epilog="Example: slipway-features watermarks --json")
@_ADDRESS
@json_option
def watermarks(address: str | None, as_json: bool) -> None:
    """Say how far each view's rows have come."""
    with _client(address) as slipway:
        rows = [asdict(one) for one in slipway.features.watermarks()]
    emit(rows, as_json=as_json, empty="no view got a row yet; see slipway-features push --help")


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


def _feature_row(feature: Feature) -> dict[str, object]:
    row: dict[str, object] = {"name": feature.name, "type": feature.type.value, "description": feature.description}
    if feature.fallback is not None:
        row |= {"fallback": feature.fallback, "fallback_for": [one.value for one in feature.fallback_for]}
    return row


def _row(view: FeatureView) -> dict[str, object]:
    return {
        "name": view.name,
        "owner": view.owner,
        "entities": list(view.entities),
        "features": [feature.name for feature in view.features],
        "max_age_s": _seconds(view.max_age),
        "fallbacks": {one.name: one.fallback for one in view.features if one.fallback is not None},
        "revision": view.revision,
        "update_time": view.update_time,
    }


def _service_row(service: FeatureService) -> dict[str, object]:
    return {
        "name": service.name,
        "owner": service.owner,
        "features": list(service.features),
        "revision": service.revision,
        "update_time": service.update_time,
    }
