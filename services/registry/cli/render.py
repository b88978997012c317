"""The client's values as rows and facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from slipway.cli import emit, emit_one

if TYPE_CHECKING:
    from slipway.client import Endpoint, EndpointRevision, Model, ModelVersion, Rollout, Route

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
        "baseline": version.baseline is not None,
        "artifact": digest if as_json else f"{digest[:19]}…",
        "create_time": version.create_time,
    }


def show_version(version: ModelVersion, *, as_json: bool) -> None:
    """Print a version with its signature and lineage."""
    facts: Facts = asdict(version)
    if as_json:
        if facts["baseline"]:
            block = facts["baseline"].pop("block")
            facts["baseline"]["block_s"] = block.total_seconds() if block else None
        emit_one(facts, as_json=True)
        return
    emit_one(_told(version, facts), as_json=False)
    for title in ("inputs", "entities", "outputs"):
        if not facts["signature"][title]:
            continue
        click.echo(f"\n{title}")
        emit([one | {"datatype": str(one["datatype"])} for one in facts["signature"][title]], as_json=False)
    for title in ("metrics", "params"):
        click.echo(f"\n{title}")
        emit(
            [{"name": name, "value": value} for name, value in sorted(facts[title].items())],
            as_json=False,
            empty="none",
        )


def _told(version: ModelVersion, facts: Facts) -> Facts:
    lineage, artifact = facts["lineage"], facts["artifact"]
    return {
        "model": version.model,
        "number": version.number,
        "created": version.create_time,
        "artifact": artifact["digest"],
        "size_bytes": artifact["size_bytes"],
        "run": lineage["run_id"] or None,
        "baseline_rows": version.baseline.row_count if version.baseline else None,
        **{f"data_{name}": value for name, value in (lineage["data"] or {}).items()},
        **{f"code_{name}": value for name, value in (lineage["code"] or {}).items() if value},
    }


def lineage_facts(version: ModelVersion) -> Facts:
    """What a version was made from."""
    data, code, baseline = version.lineage.data, version.lineage.code, version.baseline
    return {
        "model": version.model,
        "version": version.number,
        "created": version.create_time,
        "training_set": (data.training_set if data else "") or None,
        "data_digest": (data.digest if data else "") or None,
        "data_source": (data.source if data else "") or None,
        "rows": data.row_count if data else None,
        "definitions": list(data.definitions) if data else [],
        "code_digest": (code.digest if code else "") or None,
        "code_revision": (code.revision if code else "") or None,
        "workflow": (code.workflow if code else "") or None,
        "run": version.lineage.run_id or None,
        "baseline_rows": baseline.row_count if baseline else None,
        "baseline_features": len(baseline.features) if baseline else None,
        "artifact": version.artifact.digest,
        "artifact_bytes": version.artifact.size_bytes,
    }


def rollout_row(rollout: Rollout, *, as_json: bool) -> Facts:
    """A rollout in one row; for people with the plan as shares."""
    if as_json:
        return asdict(rollout)
    return {
        "rollout": rollout.id,
        "version": f"{rollout.baseline_version} -> {rollout.candidate_version}",
        "kind": rollout.plan.kind.value,
        "state": rollout.state.value,
        "step": _step(rollout),
        "reason": rollout.reason,
        "started": rollout.create_time,
        "changed": rollout.update_time,
    }


def _step(rollout: Rollout) -> str:
    steps = rollout.plan.steps
    shares = "/".join("shadow" if step.percent == 0 else f"{step.percent}%" for step in steps)
    return f"{min(rollout.step + 1, len(steps))} of {len(steps)} ({shares})"


def endpoint_row(endpoint: Endpoint) -> Facts:
    """An endpoint in one row."""
    return {
        "name": endpoint.name,
        "routes": ", ".join(
            f"{route.name}: {_target(route)} at {route.weight}{_shadow(route)}" for route in endpoint.routes
        ),
        "revision": endpoint.revision,
        "update_time": endpoint.update_time,
    }


def revision_row(revision: EndpointRevision, *, as_json: bool) -> Facts:
    """A revision of an endpoint in one row."""
    if as_json:
        return asdict(revision)
    endpoint = revision.endpoint
    return {
        "revision": endpoint.revision,
        "time": endpoint.update_time,
        "cause": revision.cause.value,
        "routes": ", ".join(
            f"{one.name}: {one.resolved_version} at {one.weight}{_shadow(one)}" for one in endpoint.routes
        ),
        "reason": revision.reason,
    }


def show_endpoint(endpoint: Endpoint, *, as_json: bool) -> None:
    """Print an endpoint and its routes."""
    if as_json:
        emit_one(asdict(endpoint), as_json=True)
        return
    emit_one({"name": endpoint.name, "revision": endpoint.revision, "updated": endpoint.update_time}, as_json=False)
    click.echo()
    rows = [
        {
            "route": one.name,
            "target": _target(one),
            "version": one.resolved_version,
            "weight": one.weight,
            "shadow": "yes" if one.shadow else "",
        }
        for one in endpoint.routes
    ]
    emit(rows, as_json=False)
    if settings := _settings(endpoint):
        click.echo()
        emit_one(settings, as_json=False)
    if endpoint.rollout:
        click.echo()
        emit([rollout_row(endpoint.rollout, as_json=False)], as_json=False)


def _settings(endpoint: Endpoint) -> Facts:
    """What the endpoint has beside its routes, without what is not set."""
    parts = {"guardrails": endpoint.guardrails, "fallback": endpoint.fallback, "experiment": endpoint.experiment}
    told: Facts = {name: {key: one for key, one in asdict(part).items() if one} for name, part in parts.items() if part}
    return told | ({"sticky_by": list(endpoint.sticky_by)} if endpoint.sticky_by else {})


def _shadow(route: Route) -> str:
    return " in the shadow" if route.shadow else ""


def _target(route: Route) -> str:
    return f"{route.model}@{route.alias}" if route.alias else f"{route.model}/{route.version}"
