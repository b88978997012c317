"""The client's values as rows and facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import emit, emit_one

if TYPE_CHECKING:
    from slipway.client import Endpoint, Model, ModelVersion, Route

Facts = dict[str, Any]


def model_row(model: Model) -> Facts:
    """A model in one row."""
    return {
        "name": model.name,
        "latest_version": model.latest_version,
        "aliases": {alias.name: alias.version for alias in model.aliases},
        "owner": model.owner,
        "description": model.description,
        "create_time": model.create_time,
    }


def version_row(version: ModelVersion, *, as_json: bool) -> Facts:
    """A version in one row; for people with the start of its artifact's digest, which ``version`` shows whole."""
    digest = version.artifact.digest
    return {
        "number": version.number,
        "metrics": dict(sorted(version.metrics.items())),
        "run_id": version.lineage.run_id,
        "artifact": digest if as_json else f"{digest[:19]}…",
        "create_time": version.create_time,
    }


def show_version(version: ModelVersion, *, as_json: bool) -> None:
    """Print a version with its signature and lineage."""
    facts: Facts = asdict(version)
    if as_json:
        emit_one(facts, as_json=True)
        return
    lineage, artifact = facts["lineage"], facts["artifact"]
    emit_one(
        {
            "model": version.model,
            "number": version.number,
            "created": version.create_time,
            "artifact": artifact["digest"],
            "size_bytes": artifact["size_bytes"],
            "run": lineage["run_id"] or None,
            **{f"data_{name}": value for name, value in (lineage["data"] or {}).items()},
            **{f"code_{name}": value for name, value in (lineage["code"] or {}).items() if value},
        },
        as_json=False,
    )
    for title in ("inputs", "outputs"):
        click.echo(f"\n{title}")
        emit([one | {"datatype": str(one["datatype"])} for one in facts["signature"][title]], as_json=False)
    for title in ("metrics", "params"):
        click.echo(f"\n{title}")
        emit(
            [{"name": name, "value": value} for name, value in sorted(facts[title].items())],
            as_json=False,
            empty="none",
        )


def endpoint_row(endpoint: Endpoint) -> Facts:
    """An endpoint in one row."""
    return {
        "name": endpoint.name,
        "routes": ", ".join(f"{route.name}: {_target(route)} at {route.weight}" for route in endpoint.routes),
        "revision": endpoint.revision,
        "update_time": endpoint.update_time,
    }


def show_endpoint(endpoint: Endpoint, *, as_json: bool) -> None:
    """Print an endpoint and its routes."""
    if as_json:
        emit_one(asdict(endpoint), as_json=True)
        return
    emit_one({"name": endpoint.name, "revision": endpoint.revision, "updated": endpoint.update_time}, as_json=False)
    click.echo()
    rows = [
        {"route": one.name, "target": _target(one), "version": one.resolved_version, "weight": one.weight}
        for one in endpoint.routes
    ]
    emit(rows, as_json=False)


def _target(route: Route) -> str:
    return f"{route.model}@{route.alias}" if route.alias else f"{route.model}/{route.version}"
