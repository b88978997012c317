"""The verbs about models, versions, aliases and artifacts."""

from __future__ import annotations

from pathlib import Path

import click

from services.registry.cli import render
from services.registry.cli.connect import registry, verb
from services.registry.cli.values import selector, write_whole
from slipway.cli import emit, emit_one


@verb("models", "", "--json")
def models(address: str | None, as_json: bool) -> None:
    """List the models."""
    with registry(address) as client:
        rows = [render.model_row(model) for model in client.models()]
    emit(rows, as_json=as_json, empty="no model yet")


@verb("versions", "flight-delay", "flight-delay --json")
@click.argument("model")
def versions(model: str, address: str | None, as_json: bool) -> None:
    """List a model's versions, newest first."""
    with registry(address) as client:
        rows = [render.version_row(version, as_json=as_json) for version in client.versions(model)]
    emit(rows, as_json=as_json, empty=f"{model} has no version yet")


@verb("version", "flight-delay 3", "flight-delay alias:champion --json")
@click.argument("model")
@click.argument("version")
def version(model: str, version: str, address: str | None, as_json: bool) -> None:
    """Show one version, by number or alias:NAME, with its signature and lineage."""
    number, alias = selector(version)
    with registry(address) as client:
        found = client.get_version(model, number=number, alias=alias)
    render.show_version(found, as_json=as_json)


@verb("lineage", "flight-delay 3", "flight-delay alias:champion --json")
@click.argument("model")
@click.argument("version")
def lineage(model: str, version: str, address: str | None, as_json: bool) -> None:
    """Show what a version was made from: data, feature definitions, code, run, baseline, artifact."""
    number, alias = selector(version)
    with registry(address) as client:
        found = client.get_version(model, number=number, alias=alias)
    emit_one(render.lineage_facts(found), as_json=as_json)


@verb("aliases", "flight-delay")
@click.argument("model")
def aliases(model: str, address: str | None, as_json: bool) -> None:
    """List a model's aliases and where they point."""
    with registry(address) as client:
        found = client.get_model(model)
    rows = [{"alias": one.name, "version": one.version, "update_time": one.update_time} for one in found.aliases]
    emit(rows, as_json=as_json, empty=f"{model} has no alias yet")


@verb("set-alias", "flight-delay champion 4", "flight-delay champion 4 --expected-version 3")
@click.argument("model")
@click.argument("alias")
@click.argument("version", type=int)
@click.option("--expected-version", type=int, help="Refuse unless it points there now; 0: unless it is new.")
def set_alias(
    *, model: str, alias: str, version: int, expected_version: int | None, address: str | None, as_json: bool
) -> None:
    """Point an alias at a version; endpoints that follow it move with it."""
    with registry(address) as client:
        found = client.set_alias(model, alias, version, expected_version=expected_version)
    emit_one(
        {"model": model, "alias": found.name, "version": found.version, "update_time": found.update_time},
        as_json=as_json,
    )


@verb("artifact", "sha256:DIGEST --output model.onnx")
@click.argument("digest")
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; it is replaced only when all bytes have come and are verified.",
)
def artifact(digest: str, output: Path, address: str | None, as_json: bool) -> None:
    """Write an artifact's bytes to a file."""
    with registry(address) as client:
        data = client.download_artifact(digest)
    write_whole(output, data)
    emit_one({"digest": digest, "size_bytes": len(data), "output": str(output)}, as_json=as_json)


VERBS = (models, versions, version, lineage, aliases, set_alias, artifact)
