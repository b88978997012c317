"""The verbs about endpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from services.registry.cli import render
from services.registry.cli.connect import registry, verb
from services.registry.cli.endpoint_file import endpoint_of
from services.registry.cli.values import route as parse_route
from slipway.cli import emit, emit_one
from slipway.errors import Kind, SlipwayError, invalid_field

if TYPE_CHECKING:
    from slipway.client import Endpoint
    from slipway.client._sync.registry import Registry


@verb("endpoints", "", "--json")
def endpoints(address: str | None, as_json: bool) -> None:
    """List the endpoints as they should be served."""
    with registry(address) as client:
        rows = [render.endpoint_row(endpoint) for endpoint in client.endpoints()]
    emit(rows, as_json=as_json, empty="no endpoint yet")


@verb("endpoint", "flight-delay")
@click.argument("name")
def endpoint(name: str, address: str | None, as_json: bool) -> None:
    """Show one endpoint and its routes."""
    with registry(address) as client:
        found = client.get_endpoint(name)
    render.show_endpoint(found, as_json=as_json)


@verb(
    "put-endpoint",
    "late --route name=main,model=flight-delay,alias=champion",
    "late --route name=main,model=flight-delay,alias=champion,weight=95 \\\n"
    "      --route name=canary,model=flight-delay,version=4,weight=5",
    "late --file late.json    # as `endpoint late --json` shows it: the routes, guardrails, fallback and all",
)
@click.argument("name")
@click.option(
    "--route",
    "routes",
    multiple=True,
    metavar="KEY=VALUE,…",
    help="An arm: name, model, alias or version, weight (100), shadow (no). Give one for each arm.",
)
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file with routes, guardrails, fallback, sticky_by, experiment: all that the endpoint is to be.",
)
@click.option("--reason", default="", help="Why, for people.")
@click.option("--expected-revision", type=int, help="Refuse unless it has this revision now; 0: unless it is new.")
def put_endpoint(
    *,
    name: str,
    routes: tuple[str, ...],
    file: Path | None,
    reason: str,
    expected_revision: int | None,
    address: str | None,
    as_json: bool,
) -> None:
    """Create an endpoint, or replace its routes (--route) or all of it (--file)."""
    if bool(routes) == bool(file):
        raise invalid_field("--route", "give either one --route for each arm, or a --file")
    wanted = endpoint_of(name, file.read_bytes(), str(file)) if file else None
    arms = wanted.routes if wanted else tuple(parse_route(text) for text in routes)
    with registry(address) as client:
        # What --route says nothing of stays as it was read, if nobody changes it meanwhile.
        kept = wanted or _stored(client, name)
        if kept and expected_revision is None and kept.revision and _has_settings(kept):
            expected_revision = kept.revision
        found = client.put_endpoint(
            name,
            arms,
            guardrails=kept.guardrails if kept else None,
            fallback=kept.fallback if kept else None,
            sticky_by=kept.sticky_by if kept else (),
            experiment=kept.experiment if kept else None,
            expected_revision=expected_revision,
            reason=reason,
        )
    render.show_endpoint(found, as_json=as_json)


def _has_settings(endpoint: Endpoint) -> bool:
    """Whether the endpoint is more than its routes."""
    return bool(endpoint.guardrails or endpoint.fallback or endpoint.sticky_by or endpoint.experiment)


def _stored(client: Registry, name: str) -> Endpoint | None:
    try:
        return client.get_endpoint(name)
    except SlipwayError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise
        return None


@verb("delete-endpoint", "late")
@click.argument("name")
def delete_endpoint(name: str, address: str | None, as_json: bool) -> None:
    """Stop serving an endpoint."""
    with registry(address) as client:
        client.delete_endpoint(name)
    emit_one({"deleted": name}, as_json=as_json)


VERBS = (endpoints, endpoint, put_endpoint, delete_endpoint)
