"""The example from nothing to a table: start the platform, train, release, ask, and see every answer counted."""

from __future__ import annotations

import json
import os
import signal
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
from rich.text import Text

from slipway.cli import Command
from slipway.client import Slipway
from slipway.config import data_root
from slipway.errors import Kind, SlipwayError, invalid_field
from slipway.supervisor import status

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


class QuickstartFailed(SlipwayError):
    """A step of the story did not come to what it should."""

    kind = Kind.ABORTED
    reason = "QUICKSTART_FAILED"


class Screen:
    """Progress on stderr: a line a step, with its time and what came of it."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
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
        done = f"[green]✓[/] {title} [dim]({self.seconds[name]:.1f} s)[/] {' '.join(told)}"
        self.console.print(done.rstrip(), soft_wrap=True)

    def said(self, line: str) -> None:
        """Show what the step's program said, above the running step."""
        self.console.print(Text(f"  {line.rstrip()}", style="dim"), soft_wrap=True)

    def note(self, text: str) -> None:
        """Say how the running step stands."""
        if self._status is not None and text:
            self._status.update(f"{self._title} [dim]{text}[/]")


def tell(screen: Screen, predictions: int, batch_rows: int) -> Result:
    """The whole story on a platform that is up."""
    # Late: they take seconds to import, in which a newcomer would see nothing.
    with screen.step("import", "Import pandas and LightGBM"):
        from examples.flights import story  # noqa: PLC0415
        from examples.flights.asks import asks  # noqa: PLC0415
    with Slipway() as slipway:
        with screen.step("train", "Train, export to ONNX, register") as told:
            _, version = story.train(slipway, f"quickstart-{uuid.uuid4().hex}", screen.note)
            told.append(f"{version.model}/{version.number}, AUC {version.metrics['auc']:.4f}")
        with screen.step("release", "Release it behind the endpoint flight-delay") as told:
            story.release(slipway, version, _PATIENCE_S, screen.note)
            provider = slipway.inference.endpoints().endpoints[0].routes[0].provider
            told.append(f"on {provider.removesuffix('ExecutionProvider')}")
        with screen.step("ask", f"Ask about {predictions} real flights") as told:
            questions = story.strangers(asks(predictions))
            asked = story.ask(slipway, questions, uuid.uuid4().hex, batch_rows, screen.note)
            told.append(f"p50 {asked.latency_ms(0.5):.1f} ms, p99 {asked.latency_ms(0.99):.1f} ms one by one")
        with screen.step("compare", "Compare with LightGBM itself, ask some again") as told:
            largest = story.difference(slipway, version, asked)
            alike = story.repeated(slipway, asked)
            told.append(f"differs by {largest:.1e}")
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
        "Model": f"{result.model}, version {result.version}",
        "Runs in ONNX Runtime on": result.provider.removesuffix("ExecutionProvider"),
        "Flights it was made from": f"{result.train_rows:,}",
        "AUC on late March (schedule only)": f"{result.auc:.4f}",
        "Predictions answered": f"{result.predictions:,}",
        "Predictions counted by the monitor": f"{result.counted:,}",
        "Asked again by their ids, answered alike": f"{result.repeated_alike}",
        "Largest difference to LightGBM itself": f"{result.max_difference:.1e}",
        "Latency of one flight, p50 / p99": f"{result.latency_ms['p50']:.1f} / {result.latency_ms['p99']:.1f} ms",
        "Seconds in all": f"{sum(result.seconds.values()):.1f}",
    }
    shown = Table(title="Will this flight arrive 15 or more minutes late?", show_header=False, title_justify="left")
    for name, value in rows.items():
        shown.add_row(name, value)
    return shown


def _slipway(screen: Screen, *arguments: str) -> None:
    process = subprocess.Popen([_SLIPWAY, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with process:
        try:
            for line in process.stderr or ():
                screen.said(line)
            code = process.wait()
        except BaseException:
            # A terminal's Ctrl-C has reached it too; anything else is passed on. It takes down what it started.
            process.send_signal(signal.SIGINT)
            raise
    if code:
        raise QuickstartFailed(f"`slipway {' '.join(arguments)}` ended with {code}; what it said stands above")


@contextmanager
def _platform(screen: Screen, *choices: str, keep: bool) -> Iterator[None]:
    """A platform that is up: the one whose addresses the environment names, the data root's own, or a new one.

    It is known by the data root, for whoever serves on the well-known ports may be somebody else's. A new one is
    stopped at the end, whatever ends it, unless it is to be kept.
    """
    if any(name.startswith("SLIPWAY_") and name.endswith("_ADDRESS") for name in os.environ):
        screen.console.print("Using the platform that SLIPWAY_<SERVICE>_ADDRESS names", soft_wrap=True)
        yield
        return
    found_up = status.current(data_root()).supervisor is not None
    try:
        with screen.step("up", "Find the platform up" if found_up else "Start the platform (slipway up --detach)"):
            _slipway(screen, "up", "--detach", *choices)
        yield
    finally:
        if not keep and not found_up:
            with screen.step("down", "Stop the platform (slipway down)"):
                _slipway(screen, "down")
        elif status.current(data_root()).supervisor is not None:
            told = (
                "The platform is up: look at it with `.venv/bin/slipway status`, end it with `.venv/bin/slipway down`"
            )
            screen.console.print(told, soft_wrap=True)


@click.command(cls=Command, epilog="Example: scripts/quickstart --json result.json --keep")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures there.")
@click.option("--keep", is_flag=True, help="Leave the platform running afterwards.")
@click.option(
    "--predictions", default=2_000, show_default=True, type=click.IntRange(min=200), help="Flights to ask about."
)
@click.option(
    "--batch-rows", default=50, show_default=True, type=click.IntRange(1, 1_000), help="Flights of a batched request."
)
@click.option("--without-ray", is_flag=True, help="Leave the Ray head out: nothing in this story runs on it yet.")
@click.option("--free-ports", is_flag=True, help="Take free ports instead of the well-known ones.")
def quickstart(
    *, json_file: Path | None, keep: bool, predictions: int, batch_rows: int, without_ray: bool, free_ports: bool
) -> None:
    """Train a model on real flights, serve it, ask it, and see every answer counted.

    Half of the flights are asked about one by one, the rest in batches. A platform that is up on
    $SLIPWAY_DATA (default: .slipway here) is used and left up; else one is started, and stopped at the end.
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise invalid_field("--json", f"{json_file.parent} is no folder; make it, or name another file")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    screen = Screen()
    choices = [*(["--without", "ray"] if without_ray else []), *(["--free-ports"] if free_ports else [])]
    with _platform(screen, *choices, keep=keep):
        result = tell(screen, predictions, batch_rows)
    Console().print(table(result))
    if json_file is not None:
        _write(json_file, result)
    if result.counted != result.predictions or result.max_difference > 1e-6:
        raise QuickstartFailed("the figures above are not what they should be: counted = answered, difference <= 1e-6")


def _write(file: Path, result: Result) -> None:
    try:
        file.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise invalid_field("--json", f"can't write {file}: {error.strerror}; name another file") from error


if __name__ == "__main__":
    quickstart(prog_name="scripts/quickstart")
