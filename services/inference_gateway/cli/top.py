"""`slipway-gateway top`: a gateway as it runs, again and again."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from services.inference_gateway.cli.connect import ADDRESS, TOKEN, connect
from services.inference_gateway.cli.rates import Look, arms, seconds, tenants
from slipway.cli import json_option
from slipway.errors import SlipwayError, invalid_field

if TYPE_CHECKING:
    from rich.console import RenderableType

    from slipway.client import Slipway

_ARMS = {
    "endpoint": "endpoint",
    "route": "arm",
    "model": "model",
    "version": "v",
    "requests_per_s": "req/s",
    "rows_per_s": "rows/s",
    "errors_per_s": "err/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "wait_p99_ms": "wait p99",
    "queue": "queue",
    "batch_rows": "batch",
    "running_batches": "run",
    "workers": "workers",
    "resident_bytes": "rss",
}
_TENANTS = {
    "tenant": "tenant",
    "requests_per_s": "req/s",
    "rows_per_s": "rows/s",
    "refused_per_s": "refused/s",
    "in_flight": "in flight",
}
_DROPPED = ("model", "resident_bytes", "batch_rows", "wait_p99_ms", "workers", "running_batches")
"""What a narrow terminal goes without, in this order."""
_TEXTS = {"endpoint", "arm", "model", "tenant", "workers"}


@click.command(
    "top", epilog="Example: slipway-gateway top --interval 2; for programs: slipway-gateway top --once --json"
)
@click.option(
    "--interval", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds between looks."
)
@click.option("--once", is_flag=True, help="Look twice, an interval apart, print what is between, and end.")
@ADDRESS
@TOKEN
@json_option
def top(interval: float, once: bool, address: str | None, token: str | None, as_json: bool) -> None:
    """Show live what every arm answers, how long it takes, what waits, and the workers; for operators.

    Rates and quantiles are of the last interval. Ctrl-C ends it.
    """
    if not once and (as_json or not sys.stdout.isatty()):
        raise invalid_field("--once", "is missing; a live view needs a terminal and has no JSON, so add it")
    with connect(address, token) as slipway:
        earlier = _look(slipway)
        time.sleep(interval)
        if not once:
            _live(slipway, earlier, interval)
            return
        later = _look(slipway)
    if as_json:
        click.echo(json.dumps(_facts(earlier, later), indent=2))
    else:
        from rich.console import Console  # noqa: PLC0415  (slow to import; serving draws nothing)

        Console().print(_drawn(earlier, later))


def _look(slipway: Slipway) -> Look:
    asked = slipway.inference
    return Look(asked.statistics(), asked.prediction_log(), asked.tenants())


def _live(slipway: Slipway, earlier: Look, interval: float) -> None:
    from rich.console import Group  # noqa: PLC0415  (slow to import; serving draws nothing)
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    later = _look(slipway)
    shown = _drawn(earlier, later)
    try:
        with Live(shown, screen=True, auto_refresh=False) as live:
            while True:
                time.sleep(interval)
                try:
                    earlier, later = later, _look(slipway)
                    shown = _drawn(earlier, later)
                    live.update(shown, refresh=True)
                except SlipwayError as error:
                    # It may come back; what was seen last stays.
                    live.update(Group(Text(error.message, style="red"), shown), refresh=True)
    except KeyboardInterrupt:
        return


def _facts(earlier: Look, later: Look) -> dict[str, Any]:
    spool = later.spool
    return {
        "time": later.statistics.time.isoformat(),
        "start_time": later.statistics.start_time.isoformat(),
        "interval_s": seconds(earlier, later),
        "arms": arms(earlier, later),
        "tenants": tenants(earlier, later),
        "spool": {
            "pending_batches": spool.pending_batches,
            "pending_bytes": spool.pending_bytes,
            "limit_bytes": spool.limit_bytes,
            "dropped_predictions": spool.dropped_predictions,
        },
    }


def _drawn(earlier: Look, later: Look) -> RenderableType:
    from rich.console import Group  # noqa: PLC0415  (slow to import; serving draws nothing)
    from rich.text import Text  # noqa: PLC0415

    facts = _facts(earlier, later)
    spool = facts["spool"]
    rows = [one | {"queue": one["waiting_rows"] + one.get("queued_rows", 0)} for one in facts["arms"]]
    up = later.statistics.time - later.statistics.start_time
    head = f"{later.statistics.time:%H:%M:%S}Z  up {str(up).partition('.')[0]}  "
    head += (
        f"spool {spool['pending_batches']} batches, {_bytes(spool['pending_bytes'])} of {_bytes(spool['limit_bytes'])}"
    )
    dropped = spool["dropped_predictions"]
    return Group(
        Text(head),
        Text(f"{dropped} predictions were answered and not logged", style="red") if dropped else Text(""),
        _table(_ARMS, rows) if rows else Text("nothing is served"),
        Text(""),
        _table(_TENANTS, facts["tenants"]),
    )


def _table(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    from rich.table import Table  # noqa: PLC0415  (slow to import; serving draws nothing)
    from rich.text import Text  # noqa: PLC0415

    shown = _fitting(columns, rows)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in shown.values():
        table.add_column(name, justify="left" if name in _TEXTS else "right", overflow="fold")
    for row in rows:
        alarming = row.get("errors_per_s") or row.get("refused_per_s")
        style = "red" if alarming else "dim" if row.get("shadow") else ""
        # As Text: a name such as a[b] is not markup.
        table.add_row(*(Text(_cell(name, row.get(name))) for name in shown), style=style)
    return table


def _fitting(columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Mapping[str, str]:
    widths = {
        name: 2 + max(len(title), *(len(_cell(name, row.get(name))) for row in rows)) for name, title in columns.items()
    }
    left = dict(columns)
    for name in _DROPPED:
        if sum(widths[one] for one in left) - 2 <= shutil.get_terminal_size().columns:
            break
        left.pop(name, None)
    return left


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name == "resident_bytes":
        return _bytes(value)
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
    return str(value)


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
