"""The verbs about rollouts: taking an endpoint over by another version, and back."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from services.registry.cli import render
from services.registry.cli.connect import registry, verb
from services.registry.cli.values import plan as parse_plan
from slipway.cli import emit
from slipway.cli.group import Group
from slipway.errors import Kind, SlipwayError

if TYPE_CHECKING:
    from slipway.client import Endpoint


class NoRollout(SlipwayError):
    """There is none to cancel."""

    kind = Kind.NOT_FOUND
    reason = "ROLLOUT_NOT_FOUND"

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"endpoint {endpoint!r} has had no rollout; start one with `rollout start`")


@verb("rollouts", "flight-delay", "flight-delay --json")
@click.argument("endpoint")
def rollouts(endpoint: str, address: str | None, as_json: bool) -> None:
    """List an endpoint's rollouts, newest first."""
    with registry(address) as client:
        rows = [render.rollout_row(one, as_json=as_json) for one in client.rollouts(endpoint)]
    emit(rows, as_json=as_json, empty=f"{endpoint} has had no rollout yet")


@verb("revisions", "flight-delay", "flight-delay --json")
@click.argument("endpoint")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, the newest first.")
def revisions(endpoint: str, limit: int, address: str | None, as_json: bool) -> None:
    """List what an endpoint should have been, newest first, and what changed it."""
    with registry(address) as client:
        found = islice(client.endpoint_revisions(endpoint), limit)
        rows = [render.revision_row(one, as_json=as_json) for one in found]
    emit(rows, as_json=as_json)


@verb("rollback", "flight-delay", 'flight-delay --reason "wrong units since noon"', "flight-delay --to-revision 41")
@click.argument("endpoint")
@click.option("--to-revision", type=click.IntRange(min=1), help="Back to this one of `revisions`, not by one version.")
@click.option("--reason", default="", help="Why, for people.")
def rollback(*, endpoint: str, to_revision: int | None, reason: str, address: str | None, as_json: bool) -> None:
    """Put an endpoint back to the version before, or to any revision, and end a rollout that runs."""
    with registry(address) as client:
        if to_revision is not None:
            render.show_endpoint(client.roll_back(endpoint, to_revision=to_revision, reason=reason), as_json=as_json)
            return
        # The version that serves now goes with the call, so that a retry of it goes back once.
        serving = _main_version(client.get_endpoint(endpoint))
        found = client.roll_back(endpoint, serving, reason=reason)
    render.show_endpoint(found, as_json=as_json)


@verb(
    "start",
    "flight-delay 4",
    "flight-delay 4 --steps 0,25 --labels 500 --margin 0.002",
    "flight-delay 4 --kind blue-green --keep-s 7200",
    "flight-delay 4 --kind ab --steps 50 --experiment spring",
    group="rollout",
)
@click.argument("endpoint")
@click.argument("version", type=click.IntRange(min=1))
@click.option(
    "--steps",
    metavar="PERCENT,…",
    help="The candidate's share at each step; 0 is the shadow. Default: 0,25; of blue-green 0, of ab 50.",
)
@click.option(
    "--kind",
    type=click.Choice(["canary", "blue-green", "ab"]),
    help="By rising shares; all at once after a step in the shadow; or by a fixed split. Default: canary.",
)
@click.option("--keep-s", type=click.IntRange(min=1), help="Of blue-green: seconds that the version before stays.")
@click.option("--experiment", help="Of ab: the name that exposures are logged under. Default: the rollout's id.")
@click.option("--labels", type=click.IntRange(min=1), help="Labels of a step before which none promotes. Default: 500.")
@click.option("--max-labels", type=click.IntRange(min=1), help="Labels of a step by which a verdict must stand.")
@click.option("--margin", type=float, help="The harm in mean loss that is still borne. Default: 0.")
@click.option("--error-rate", type=float, help="The chance that a harmful version is promoted. Default: 0.05.")
@click.option("--request-id", help="A key of yours for this rollout, so that a repeated call starts it once.")
def start(
    *,
    endpoint: str,
    version: int,
    steps: str | None,
    kind: str | None,
    keep_s: int | None,
    experiment: str | None,
    labels: int | None,
    max_labels: int | None,
    margin: float | None,
    error_rate: float | None,
    request_id: str | None,
    address: str | None,
    as_json: bool,
) -> None:
    """Start to take an endpoint over by another version of its model."""
    plan = parse_plan(
        steps, labels, max_labels, margin, error_rate, kind=kind, keep_s=keep_s or 0, experiment=experiment or ""
    )
    with registry(address) as client:
        found = client.start_rollout(endpoint, version, plan, request_id=request_id)
    render.show_endpoint(found, as_json=as_json)


@verb("cancel", "flight-delay", group="rollout")
@click.argument("endpoint")
@click.option("--rollout", "rollout_id", help="The rollout's id. Default: the endpoint's latest.")
@click.option("--reason", default="", help="Why, for people.")
def cancel(*, endpoint: str, rollout_id: str | None, reason: str, address: str | None, as_json: bool) -> None:
    """End a rollout that runs: its candidate's arm goes."""
    with registry(address) as client:
        if rollout_id is None:
            latest = client.get_endpoint(endpoint).rollout
            if latest is None:
                raise NoRollout(endpoint)
            rollout_id = latest.id
        found = client.cancel_rollout(endpoint, rollout_id, reason=reason)
    render.show_endpoint(found, as_json=as_json)


def _main_version(endpoint: Endpoint) -> int:
    running = endpoint.rollout if endpoint.rollout and endpoint.rollout.state.name == "RUNNING" else None
    if running:
        return running.baseline_version
    return max(endpoint.routes, key=lambda route: route.weight).resolved_version


rollout = Group(
    "rollout",
    help="Take an endpoint over by another version, step by step.",
    epilog="\b\nExamples:\n  slipway-registry rollout start flight-delay 4\n"
    "  slipway-registry rollout cancel flight-delay",
    commands=[start, cancel],
)
VERBS = (rollouts, rollout, revisions, rollback)
