"""The example from nothing to a table: start the platform, train, release, ask, and see every answer counted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.status import Status
from rich.table import Table

from examples.flights import story
from examples.flights.asks import asks
from slipway.cli import Group
from slipway.client import Slipway
from slipway.errors import Unavailable
from slipway.supervisor import discover

_PATIENCE_S = 60.0
_SLIPWAY = str(Path(sys.executable).with_name("slipway"))


@dataclass(frozen=True)
class Result:
    """What the quickstart measured; every figure is of this run."""

    model: str
    version: int
    provider: str
    train_rows: int
    auc: float
    predictions: int
    counted: int
    repeated_alike: int
    max_difference: float
    latency_ms: dict[str, float]
    seconds: dict[str, float]


class Screen:
    """Progress on stderr: a line a step, with its time and what came of it."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.seconds: dict[str, float] = {}
        self._status: Status | None = None
        self._title = ""

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[list[str]]:
        """One step; the text put into the list is shown when it ends."""
        told: list[str] = []
        began = time.perf_counter()
        self._title = title
        with self.console.status(title) as self._status:
            yield told
        self.seconds[name] = round(time.perf_counter() - began, 2)
        self.console.print(f"[green]✓[/] {title} [dim]({self.seconds[name]:.1f} s)[/] {' '.join(told)}")

    def note(self, text: str) -> None:
        """Say how the running step stands."""
        if self._status is not None and text:
            self._status.update(f"{self._title} [dim]{text}[/]")


def tell(screen: Screen, predictions: int, batch_rows: int) -> Result:
    """The whole story on a platform that is up."""
    with Slipway() as slipway:
        with screen.step("train", "Train on January to March, export to ONNX, register") as told:
            _, version = story.train(slipway, f"quickstart-{uuid.uuid4().hex}", screen.note)
            told.append(f"{version.model}/{version.number}, AUC {version.metrics['auc']:.4f}")
        with screen.step("release", "Release it behind the endpoint flight-delay") as told:
            story.release(slipway, version, _PATIENCE_S, screen.note)
            provider = slipway.inference.endpoints().endpoints[0].routes[0].provider
            told.append(provider)
        with screen.step("ask", f"Ask about {predictions} real flights from April on") as told:
            questions = story.strangers(asks(predictions))
            asked = story.ask(slipway, questions, uuid.uuid4().hex, batch_rows, screen.note)
            told.append(f"p50 {asked.latency_ms(0.5):.1f} ms, p99 {asked.latency_ms(0.99):.1f} ms one by one")
        with screen.step("compare", "Compare with LightGBM's own answers, ask some again") as told:
            largest = story.difference(slipway, version, asked)
            alike = story.repeated(slipway, asked)
            told.append(f"largest difference {largest:.1e}")
        with screen.step("count", "Wait until the monitor has counted every answer") as told:
            seen = story.counted(slipway, version, len(questions), _PATIENCE_S, screen.note)
            told.append(f"{seen} counted")
    return Result(
        model=version.model,
        version=version.number,
        provider=provider,
        train_rows=int(version.lineage.data.row_count if version.lineage.data else 0),
        auc=version.metrics["auc"],
        predictions=len(asked.answers),
        counted=seen,
        repeated_alike=alike,
        max_difference=largest,
        latency_ms={"p50": round(asked.latency_ms(0.5), 3), "p99": round(asked.latency_ms(0.99), 3)},
        seconds=screen.seconds,
    )


def table(result: Result) -> Table:
    """The closing table."""
    rows = {
        "Model": f"{result.model}, version {result.version}, on {result.provider}",
        "Flights it was made from": f"{result.train_rows:,}",
        "AUC on late March (schedule only)": f"{result.auc:.4f}",
        "Predictions answered": f"{result.predictions:,}",
        "Predictions counted by the monitor": f"{result.counted:,}",
        "Asked again, answered alike": f"{result.repeated_alike}",
        "Largest difference to LightGBM": f"{result.max_difference:.1e}",
        "Latency of one flight, p50 / p99": f"{result.latency_ms['p50']:.1f} / {result.latency_ms['p99']:.1f} ms",
        "Seconds in all": f"{sum(result.seconds.values()):.1f}",
    }
    shown = Table(title="Will this flight arrive 15 or more minutes late?", show_header=False, title_justify="left")
    for name, value in rows.items():
        shown.add_row(name, value)
    return shown


def _slipway(*arguments: str) -> None:
    done = subprocess.run([_SLIPWAY, *arguments], check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        raise Unavailable(f"`slipway {' '.join(arguments)}` ended with {done.returncode}; what it said stands above")


@click.command(
    cls=click.Command,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: scripts/quickstart --json result.json --keep",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures there.")
@click.option("--keep", is_flag=True, help="Leave the platform running afterwards.")
@click.option("--predictions", default=2_000, show_default=True, type=click.IntRange(min=200))
@click.option("--batch-rows", default=50, show_default=True, type=click.IntRange(min=1, max=1_000))
@click.option("--without-ray", is_flag=True, help="Leave the Ray head out: nothing in this story runs on it yet.")
@click.option("--free-ports", is_flag=True, help="Take free ports instead of the well-known ones.")
def quickstart(
    *, json_file: Path | None, keep: bool, predictions: int, batch_rows: int, without_ray: bool, free_ports: bool
) -> None:
    """Train a model on real flights, serve it, ask it, and see every answer counted."""
    screen = Screen()
    # By this data root's own state: whoever serves on the well-known ports may be somebody else's platform.
    found_up = discover("training_scheduler") is not None
    with screen.step("up", "Find the platform up" if found_up else "Start the platform (slipway up --detach)"):
        if not found_up:
            choices = [*(["--without", "ray"] if without_ray else []), *(["--free-ports"] if free_ports else [])]
            _slipway("up", "--detach", *choices)
    try:
        result = tell(screen, predictions, batch_rows)
    finally:
        if not keep and not found_up:
            with screen.step("down", "Stop the platform (slipway down)"):
                _slipway("down")
    Console().print(table(result))
    if json_file is not None:
        json_file.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    if keep or found_up:
        Console().print("It is still up: try `slipway status`, `slipway-gateway endpoints`, `slipway down`.")
    if result.counted != result.predictions or result.max_difference > 1e-6:
        raise Unavailable("the figures above are not what they should be: counted = answered, difference <= 1e-6")


main = Group(name="quickstart", commands=[quickstart])

if __name__ == "__main__":
    main(["quickstart", *sys.argv[1:]], prog_name="scripts/quickstart")
