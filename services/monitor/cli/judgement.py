"""The verbs on drift, incidents and verdicts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from services.monitor.cli.options import ADDRESS, ENDPOINT, SINCE, THIS_ENDPOINT, UNTIL, client
from slipway.cli import emit, emit_one, json_option

if TYPE_CHECKING:
    from datetime import datetime

    from slipway.client import FeatureWindow, Incident, Verdict


@click.command("features", epilog="Example: slipway-monitor features --endpoint flight-delay --drifted")
@ENDPOINT
@click.option("--feature", metavar="NAME", help="Only this feature; without it all of them.")
@click.option("--drifted", is_flag=True, help="Only windows in which the feature drifted.")
@SINCE
@UNTIL
@ADDRESS
@json_option
def features(
    *,
    endpoint: str | None,
    feature: str | None,
    drifted: bool,
    since: datetime | None,
    until: datetime | None,
    address: str | None,
    as_json: bool,
) -> None:
    """List what versions saw of their features, beside what they were trained on."""
    asked = {"feature": feature, "start": since, "end": until, "drifted_only": drifted, "histograms": as_json}
    with client(address) as slipway:
        found = list(slipway.monitor.feature_windows(endpoint, **asked))  # type: ignore[arg-type]
    emit([_feature(one, as_json) for one in found], as_json=as_json, empty="no features counted")


def _feature(window: FeatureWindow, as_json: bool) -> dict[str, object]:
    row = asdict(window)
    if not as_json:
        del row["counts"], row["end_time"]
    return row


@click.command("incidents", epilog="Example: slipway-monitor incidents --open")
@ENDPOINT
@click.option("--open", "open_only", is_flag=True, help="Only those that go on.")
@ADDRESS
@json_option
def incidents(*, endpoint: str | None, open_only: bool, address: str | None, as_json: bool) -> None:
    """List incidents, newest first: the harm, and the features that drifted with it."""
    with client(address) as slipway:
        found = list(slipway.monitor.incidents(endpoint, open_only=open_only))
    emit([asdict(one) if as_json else _incident(one) for one in found], as_json=as_json, empty="no incidents")


def _incident(one: Incident) -> dict[str, object]:
    harm = one.harm
    return {
        "id": one.id[:12],
        "endpoint": one.endpoint,
        "model": one.model,
        "version": one.version,
        "kind": one.kind.value,
        "state": one.state.value,
        "start_time": one.start_time,
        "trigger_time": one.trigger_time,
        "harm": f"{harm.metric} {harm.observed:.4f}, was {harm.baseline:.4f}, on {harm.rows} rows",
        "features": ", ".join(feature.name for feature in one.features),
        "closed": one.close_reason,
    }


@click.command("verdicts", epilog="Example: slipway-monitor verdicts --endpoint flight-delay")
@ENDPOINT
@ADDRESS
@json_option
def verdicts(*, endpoint: str | None, address: str | None, as_json: bool) -> None:
    """List verdicts on the steps of rollouts, newest first."""
    with client(address) as slipway:
        found = list(slipway.monitor.verdicts(endpoint))
    emit([asdict(one) if as_json else _verdict(one) for one in found], as_json=as_json, empty="no verdicts")


def _verdict(one: Verdict) -> dict[str, object]:
    names = ("endpoint", "rollout_id", "step", "decision", "labels", "candidate_auc", "baseline_auc", "event_time")
    return {**{name: getattr(one, name) for name in names}, "decision": one.decision.value, "reason": one.reason}


@click.command("compare", epilog="Example: slipway-monitor compare --endpoint flight-delay flights 2 1")
@THIS_ENDPOINT
@click.argument("model")
@click.argument("version", type=click.IntRange(min=1))
@click.argument("other", type=click.IntRange(min=1))
@SINCE
@UNTIL
@ADDRESS
@json_option
def compare(
    *,
    endpoint: str,
    model: str,
    version: int,
    other: int,
    since: datetime | None,
    until: datetime | None,
    address: str | None,
    as_json: bool,
) -> None:
    """Compare two versions of MODEL on the labelled predictions that both of them scored."""
    with client(address) as slipway:
        found = slipway.monitor.compare(endpoint, model, version, other, start=since, end=until)
    rows = [
        {"version": version, "labels": found.labels, "auc": found.auc, "log_loss": found.log_loss},
        {"version": other, "labels": found.labels, "auc": found.other_auc, "log_loss": found.other_log_loss},
    ]
    emit(rows, as_json=as_json)


@click.command("progress", epilog="Example: slipway-monitor progress --endpoint flight-delay")
@THIS_ENDPOINT
@ADDRESS
@json_option
def progress(*, endpoint: str, address: str | None, as_json: bool) -> None:
    """Show how far the monitor has come with an endpoint, in event time."""
    with client(address) as slipway:
        found = slipway.monitor.progress(endpoint)
    emit_one({"endpoint": endpoint, **asdict(found)}, as_json=as_json)


COMMANDS = (features, incidents, verdicts, compare, progress)
