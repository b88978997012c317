"""`slipway-monitor`: the operator's command."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from services.monitor.cli.judgement import COMMANDS
from services.monitor.cli.options import ADDRESS, ENDPOINT, SINCE, UNTIL, client
from services.monitor.config import MonitorConfig
from slipway.cli import ServiceCommand, emit, json_option

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime
    from typing import Any

    from slipway.client import PerformanceWindow
    from slipway.sql import Migrations


def _serve() -> Callable[[MonitorConfig], Coroutine[Any, Any, None]]:
    from services.monitor.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


def _tables(config: MonitorConfig) -> tuple[str, Migrations]:
    from services.monitor.adapters.sql import MIGRATIONS  # noqa: PLC0415

    return config.database, MIGRATIONS


main = ServiceCommand(
    "slipway-monitor",
    help="What serving saw and what came of it, by endpoint, version and window of event time.",
    config=MonitorConfig,
    serve=_serve,
    tables=_tables,
).group()


for _command in COMMANDS:
    main.add_command(_command)


@main.command("predictions", epilog="Example: slipway-monitor predictions --endpoint flight-delay --since 2013-06-01")
@ENDPOINT
@SINCE
@UNTIL
@ADDRESS
@json_option
def predictions(
    *, endpoint: str | None, since: datetime | None, until: datetime | None, address: str | None, as_json: bool
) -> None:
    """Count predictions by endpoint and version, as of what was consumed."""
    counted: Counter[tuple[str, str, int]] = Counter()
    with client(address) as slipway:
        if endpoint is None:
            for window in slipway.monitor.windows(start=since, end=until):
                counted[window.endpoint, window.model, window.version] += window.predictions
        else:
            for one in slipway.monitor.count(endpoint, start=since, end=until).versions:
                counted[endpoint, one.model, one.version] = one.predictions
    rows = [
        {"endpoint": at, "model": model, "version": version, "predictions": count}
        for (at, model, version), count in sorted(counted.items())
    ]
    emit(rows, as_json=as_json, empty="no predictions counted")


@main.command("windows", epilog="Example: slipway-monitor windows --endpoint flight-delay --json")
@ENDPOINT
@SINCE
@UNTIL
@ADDRESS
@json_option
def windows(
    *, endpoint: str | None, since: datetime | None, until: datetime | None, address: str | None, as_json: bool
) -> None:
    """List windows of event time with their predictions, oldest first."""
    with client(address) as slipway:
        rows = [asdict(window) for window in slipway.monitor.windows(endpoint, start=since, end=until)]
    emit(rows, as_json=as_json, empty="no predictions counted")


@main.command("performance", epilog="Example: slipway-monitor performance --endpoint flight-delay --since 2013-03-01")
@ENDPOINT
@SINCE
@UNTIL
@ADDRESS
@json_option
def performance(
    *, endpoint: str | None, since: datetime | None, until: datetime | None, address: str | None, as_json: bool
) -> None:
    """List windows of event time with what labels tell of them so far, oldest first."""
    with client(address) as slipway:
        found = list(slipway.monitor.performance(endpoint, start=since, end=until))
    told = [_figures(window) if as_json else _summary(window) for window in found]
    emit(told, as_json=as_json, empty="no predictions counted")


def _figures(window: PerformanceWindow) -> dict[str, object]:
    row = asdict(window) | {"coverage": window.coverage}
    del row["negative_bins"], row["positive_bins"]
    return row


def _summary(window: PerformanceWindow) -> dict[str, object]:
    arm = ("endpoint", "model", "version", "route", "start_time")
    figures = ("predictions", "joined", "coverage", "auc", "log_loss", "brier", "mean_absolute_error")
    return {name: getattr(window, name) for name in (*arm, *figures, "newest_label_time")}


@main.command("labels", epilog="Example: slipway-monitor labels --endpoint flight-delay")
@ENDPOINT
@SINCE
@UNTIL
@ADDRESS
@json_option
def labels(
    *, endpoint: str | None, since: datetime | None, until: datetime | None, address: str | None, as_json: bool
) -> None:
    """Show how far labels have come: how many predictions have theirs, and what became of all labels."""
    with client(address) as slipway:
        found = slipway.monitor.coverage(endpoint, start=since, end=until)
    rows = [asdict(one) | {"coverage": one.coverage} for one in found]
    emit(rows, as_json=as_json, empty="no predictions and no labels")


@main.command("dead-letters", epilog="Example: slipway-monitor dead-letters --values --json")
@click.option("--values", is_flag=True, help="With each event's value, in base64.")
@ADDRESS
@json_option
def dead_letters(values: bool, address: str | None, as_json: bool) -> None:
    """List the events that could not be handled, and why."""
    rows = []
    with client(address) as slipway:
        for letter in slipway.monitor.dead_letters(include_value=values):
            row = asdict(letter)
            value: bytes | None = row.pop("value")
            rows.append(row if value is None else {**row, "value": b64encode(value).decode()})
    emit(rows, as_json=as_json, empty="no dead letters")
