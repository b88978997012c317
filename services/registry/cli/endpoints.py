"""The verbs about endpoints."""

from __future__ import annotations

import click

from services.registry.cli import render
from services.registry.cli.connect import registry, verb
from services.registry.cli.values import route as parse_route
from slipway.cli import emit, emit_one


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
)
@click.argument("name")
@click.option(
    "--route",
    "routes",
    multiple=True,
    required=True,
    metavar="KEY=VALUE,…",
    help="An arm: name, model, alias or version, weight (100), shadow (no). Give one for each arm.",
)
@click.option("--expected-revision", type=int, help="Refuse unless it has this revision now; 0: unless it is new.")
def put_endpoint(
    name: str, routes: tuple[str, ...], expected_revision: int | None, address: str | None, as_json: bool
) -> None:
    """Create an endpoint or replace its routes."""
    arms = [parse_route(text) for text in routes]
    with registry(address) as client:
        found = client.put_endpoint(name, arms, expected_revision=expected_revision)
    render.show_endpoint(found, as_json=as_json)


@verb("delete-endpoint", "late")
@click.argument("name")
def delete_endpoint(name: str, address: str | None, as_json: bool) -> None:
    """Stop serving an endpoint."""
    with registry(address) as client:
        client.delete_endpoint(name)
    emit_one({"deleted": name}, as_json=as_json)


VERBS = (endpoints, endpoint, put_endpoint, delete_endpoint)
