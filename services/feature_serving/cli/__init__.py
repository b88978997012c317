"""`slipway-features`: the operator's command."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.feature_serving.config import FeatureServingConfig
from slipway.cli import ServiceCommand, address_option, emit, emit_one, json_option
from slipway.errors import Kind, SlipwayError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from slipway.client import FeatureView, Slipway
    from slipway.sql import Migrations


def _serve() -> Callable[[FeatureServingConfig], Coroutine[Any, Any, None]]:
    from services.feature_serving.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


def _tables(config: FeatureServingConfig) -> tuple[str, Migrations]:
    from services.feature_serving.adapters.sql import MIGRATIONS  # noqa: PLC0415

    return config.database, MIGRATIONS


main = ServiceCommand(
    "slipway-features",
    help="The feature catalogue, and how the online store stands.",
    config=FeatureServingConfig,
    serve=_serve,
    tables=_tables,
).group()


_ADDRESS = address_option("feature_serving")


def _client(address: str | None) -> Slipway:
    from slipway.client import Slipway  # noqa: PLC0415  (brings gRPC; the other verbs do without)

    return Slipway(features=address)


@main.command("apply", epilog="Example: slipway-features apply planes.toml")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_ADDRESS
@json_option
def apply(file: Path, address: str | None, as_json: bool) -> None:
    """Store the feature views of FILE, all or none; the same file again changes nothing.

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
    """  # noqa: D301  (click's mark for a paragraph that keeps its lines)
    from services.feature_serving.cli import definitions  # noqa: PLC0415

    views = definitions.read(file)
    with _client(address) as slipway:
        try:
            stored = slipway.features.apply(views)
        except SlipwayError as error:
            if error.kind not in {Kind.INVALID_ARGUMENT, Kind.FAILED_PRECONDITION}:
                raise
            raise definitions.located(error, file, views) from error
    emit([_row(view) for view in stored], as_json=as_json)


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
    features = [{"name": one.name, "type": one.type.value, "description": one.description} for one in found.features]
    emit_one({**_row(found), "description": found.description, "features": features}, as_json=as_json)


@main.command("store", epilog="Example: slipway-features store --json")
@_ADDRESS
@json_option
def store(address: str | None, as_json: bool) -> None:
    """Say whether the online store answers just now, and what it holds."""
    with _client(address) as slipway:
        emit_one(asdict(slipway.features.online_store()), as_json=as_json)


def _row(view: FeatureView) -> dict[str, object]:
    return {
        "name": view.name,
        "owner": view.owner,
        "entities": list(view.entities),
        "features": [feature.name for feature in view.features],
        "max_age_s": None if view.max_age is None else view.max_age.total_seconds(),
        "revision": view.revision,
        "update_time": view.update_time,
    }
