"""The verbs about definitions: feature views and feature services."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.feature_serving.cli.connect import ADDRESS, connect
from slipway.cli import emit, emit_one, json_option

if TYPE_CHECKING:
    from datetime import timedelta

    from slipway.client import Feature, FeatureService, FeatureView


@click.command(
    "compile", epilog="Example: slipway-features compile examples/flights/feature_repo --output flights.json"
)
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


@click.command("apply", epilog="Example: slipway-features apply planes.toml")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE|REPO")
@ADDRESS
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
    with connect(address) as slipway:
        with definitions.located(file, views):
            rows = [_row(one) for one in (slipway.features.apply(views) if views else [])]
        with definitions.located(file, services):
            stored = slipway.features.apply_services(services) if services else []
    # A feature service has no entities nor age of its own: its views have.
    rows += [{**dict.fromkeys(rows[0] if rows else ()), **_service_row(one)} for one in stored]
    emit(rows, as_json=as_json)


@click.command("views", epilog="Example: slipway-features views --json")
@ADDRESS
@json_option
def views(address: str | None, as_json: bool) -> None:
    """List the feature views by name."""
    with connect(address) as slipway:
        rows = [_row(view) for view in slipway.features.views()]
    emit(rows, as_json=as_json, empty="no feature views yet; see slipway-features apply --help")


@click.command("view", epilog="Example: slipway-features view planes")
@click.argument("name")
@ADDRESS
@json_option
def view(name: str, address: str | None, as_json: bool) -> None:
    """Show one feature view with its features."""
    with connect(address) as slipway:
        found = slipway.features.get_view(name)
    features = [_feature_row(one) for one in found.features]
    made = {
        "entity_types": [one.value for one in found.entity_types],
        "source": None if found.source is None else asdict(found.source),
        "aggregations": [{**asdict(one), "window": _seconds(one.window)} for one in found.aggregations],
        "hop_s": _seconds(found.hop),
    }
    emit_one({**_row(found), "description": found.description, "features": features, **made}, as_json=as_json)


@click.command("services", epilog="Example: slipway-features services --json")
@ADDRESS
@json_option
def services(address: str | None, as_json: bool) -> None:
    """List the feature services by name."""
    with connect(address) as slipway:
        rows = [_service_row(service) for service in slipway.features.services()]
    emit(rows, as_json=as_json, empty="no feature services yet; see slipway-features apply --help")


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


VERBS = (compile_, apply, views, view, services)
