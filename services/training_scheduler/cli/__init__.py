"""`slipway-training`: the operator's command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.training_scheduler.cli.given import read
from services.training_scheduler.cli.show import run_row, show, workflow_row
from services.training_scheduler.cli.trigger import trigger
from services.training_scheduler.config import TrainingConfig
from slipway.cli import ServiceCommand, address_option, emit, emit_one, json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from slipway.client import Slipway
    from slipway.sql import Migrations


def _serve() -> Callable[[TrainingConfig], Coroutine[Any, Any, None]]:
    from services.training_scheduler.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


def _tables(config: TrainingConfig) -> tuple[str, Migrations]:
    from services.training_scheduler.adapters.sql import MIGRATIONS  # noqa: PLC0415

    return config.database, MIGRATIONS


_COMMAND = ServiceCommand(
    "slipway-training",
    help="Typed workflows and their runs: submit, follow, look at, cancel.",
    config=TrainingConfig,
    serve=_serve,
    tables=_tables,
)
main = _COMMAND.group()

_ADDRESS = address_option("training_scheduler")


def _client(address: str | None) -> Slipway:
    from slipway.client import Slipway  # noqa: PLC0415  (brings gRPC; the other verbs do without)

    return Slipway(training=address)


@main.command(
    "check-config", epilog="Example: slipway-training check-config --config deploy/config/training_scheduler.toml"
)
@click.option("--config", "file", type=click.Path(path_type=Path, dir_okay=False), help="The TOML file.")
@json_option
def check_config(file: Path | None, as_json: bool) -> None:
    """Read the configuration and import its workflows; say what is wrong or show what they come to."""
    from services.training_scheduler.adapters.library import load as load_workflows  # noqa: PLC0415
    from slipway.config import load  # noqa: PLC0415

    settings = load(TrainingConfig, file)
    found = load_workflows(settings.workflow_modules, settings.import_folders)
    emit_one(settings.model_dump(mode="json") | {"workflows": [one.name for one in found.all()]}, as_json=as_json)


@main.command("workflows", epilog="Example: slipway-training workflows --json")
@_ADDRESS
@json_option
def workflows(address: str | None, as_json: bool) -> None:
    """List the workflows that can be run, with their parameters and steps."""
    with _client(address) as slipway:
        rows = [workflow_row(one, as_json=as_json) for one in slipway.training.workflows()]
    emit(rows, as_json=as_json, empty="no workflow is configured; see workflow_modules")


@main.command("submit", epilog="Example: slipway-training submit flights-delay -p rounds=200 --wait")
@click.argument("workflow")
@click.option("-p", "--param", "given", multiple=True, metavar="NAME=VALUE", help="A parameter; JSON, or plain text.")
@click.option("--request-id", metavar="KEY", help="Your key for this run: with the same one nothing runs twice.")
@click.option("--wait", is_flag=True, help="Follow the run on stderr to its end; exit with 1 unless it succeeds.")
@_ADDRESS
@json_option
def submit(
    *, workflow: str, given: Sequence[str], request_id: str | None, wait: bool, address: str | None, as_json: bool
) -> None:
    """Have WORKFLOW run. The run is durable when this returns."""
    from services.training_scheduler.cli.follow import follow  # noqa: PLC0415

    with _client(address) as slipway:
        params = read(given, slipway.training.workflows(), workflow) if given else {}
        run = slipway.training.submit(workflow, params, request_id=request_id)
        if wait:
            run = follow(slipway, run)
    show(run, as_json=as_json)
    if wait and run.state != "succeeded":
        raise SystemExit(1)


@main.command("runs", epilog="Example: slipway-training runs --workflow flights-delay --limit 5")
@click.option("--workflow", metavar="NAME", help="Only this workflow's.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many.")
@_ADDRESS
@json_option
def runs(workflow: str | None, limit: int, address: str | None, as_json: bool) -> None:
    """List runs, newest first."""
    rows: list[Mapping[str, Any]] = []
    with _client(address) as slipway:
        for run in slipway.training.runs(workflow):
            rows.append(run_row(run))
            if len(rows) == limit:
                break
    emit(
        rows, as_json=as_json, empty=f"no runs of {workflow}; see slipway-training workflows" if workflow else "no runs"
    )


@main.command("run", epilog="Example: slipway-training run run-0123456789abcdef --json")
@click.argument("run_id", metavar="ID")
@_ADDRESS
@json_option
def run(run_id: str, address: str | None, as_json: bool) -> None:
    """Show one run, with its steps, their times and what they said of their outputs."""
    with _client(address) as slipway:
        show(slipway.training.get_run(run_id), as_json=as_json)


@main.command("logs", epilog="Example: slipway-training logs run-0123456789abcdef --step train --follow")
@click.argument("run_id", metavar="ID")
@click.option("--step", default="", metavar="NAME", help="Only this step's.")
@click.option("--follow", is_flag=True, help="Wait for more until the run ends.")
@_ADDRESS
@json_option
def logs(*, run_id: str, step: str, follow: bool, address: str | None, as_json: bool) -> None:
    """Show what a run's steps printed and logged; with --json an object a line."""
    from services.training_scheduler.cli.logs import show_logs  # noqa: PLC0415

    with _client(address) as slipway:
        show_logs(slipway, run_id, step, follow=follow, as_json=as_json)


main.add_command(trigger)


@main.command("cancel", epilog="Example: slipway-training cancel run-0123456789abcdef")
@click.argument("run_id", metavar="ID")
@_ADDRESS
@json_option
def cancel(run_id: str, address: str | None, as_json: bool) -> None:
    """Cancel a run; one that has ended stays as it is."""
    with _client(address) as slipway:
        show(slipway.training.cancel(run_id), as_json=as_json)
