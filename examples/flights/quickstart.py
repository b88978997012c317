"""The example from nothing to a table: features, two models, flights replayed, and the loop closed by itself."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.console import Console

from examples.flights.outcome import Result, table
from examples.flights.screen import Screen
from slipway.cli import Command
from slipway.config import data_root
from slipway.errors import Kind, SlipwayError, invalid_field
from slipway.supervisor import status
from slipway.supervisor.variables import VARIABLES

_BESIDE = Path(sys.executable).parent
_REPOSITORY = Path(__file__).with_name("feature_repo")
_QUICK_END, _FULL_END = datetime(2013, 8, 4, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)


class QuickstartFailed(SlipwayError):
    """A step of the story did not come to what it should."""

    kind = Kind.ABORTED
    reason = "QUICKSTART_FAILED"


def run(screen: Screen, command: str, *arguments: str) -> None:
    """Run one of the platform's commands as a user would, what it says shown. Raises QuickstartFailed."""
    words = [str(_BESIDE / command), *arguments]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
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
        raise QuickstartFailed(f"`{command} {' '.join(arguments)}` ended with {code}; what it said stands above")


@contextmanager
def platform(screen: Screen, *choices: str, keep: bool) -> Iterator[None]:
    """A platform that is up: the one whose addresses the environment names, the data root's own, or a new one.

    It is known by the data root, for whoever serves on the well-known ports may be somebody else's. A new one is
    stopped at the end, whatever ends it, unless it is to be kept.
    """
    if _named():
        screen.console.print("Using the platform that SLIPWAY_<SERVICE>_ADDRESS names", soft_wrap=True)
        yield
        return
    found_up = status.current(data_root()).supervisor is not None
    try:
        with screen.step("up", "Find the platform up" if found_up else "Start the platform (slipway up --detach)"):
            run(screen, "slipway", "up", "--detach", *choices)
        yield
    finally:
        if not keep and not found_up:
            with screen.step("down", "Stop the platform (slipway down)"):
                run(screen, "slipway", "down")
        elif status.current(data_root()).supervisor is not None:
            told = (
                "The platform is up: look at it with `.venv/bin/slipway status`, end it with `.venv/bin/slipway down`"
            )
            screen.console.print(told, soft_wrap=True)


def tell(screen: Screen, definitions: Future[Path], end: datetime, every: int) -> Result:
    """The whole story on a platform that is up; ``definitions`` are being compiled meanwhile."""
    with screen.step("read", "Read the flights of 2013, write the sources of features"):
        # Late: it takes seconds to import, in which a newcomer would see nothing.
        from examples.flights import telling  # noqa: PLC0415

        sources = data_root() / "feature_serving" / "sources"
        telling.write_sources(sources)
    with screen.step("define", "Give the compiled definitions to the catalogue (slipway-features apply)"):
        run(screen, "slipway-features", "apply", str(definitions.result()))
    return asyncio.run(telling.tell(screen, sources, end=end, every=every))


def _compiled(folder: Path) -> Path:
    """The Feast repository as the catalogue takes it: some ten seconds, most of them Feast's import."""
    file = folder / "definitions.json"
    words = [str(_BESIDE / "slipway-features"), "compile", str(_REPOSITORY), "--output", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise QuickstartFailed(f"`slipway-features compile {_REPOSITORY}` failed: {done.stderr.strip()}")
    return file


def _named() -> bool:
    return any(name.startswith("SLIPWAY_") and name.endswith("_ADDRESS") for name in os.environ)


def _lasting(profile: str) -> bool:
    """Whether what backs the platform outlives it: then what lies here is a part of what lies there."""
    named = any(os.environ.get(variable) for variable in VARIABLES.values())
    return profile == "stack" and (named or status.current(data_root() / "stack").supervisor is not None)


def _set_aside(screen: Screen) -> None:
    """A story told before left its future in the online store: its data goes beside, and nothing is lost."""
    data = data_root()
    if not (data / "feature_serving").is_dir():
        return
    aside = data.with_name(f"{data.name}-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    if status.current(data / "stack").supervisor is None:
        data.rename(aside)
    else:  # a stack that runs there would lose its ground
        aside.mkdir(mode=0o700)
        for child in (one for one in data.iterdir() if one.name != "stack"):
            child.rename(aside / child.name)
    screen.console.print(f"An earlier run's data lies in {aside} now; delete it when you like", soft_wrap=True)


@click.command(cls=Command, epilog="Example: scripts/quickstart --json result.json --keep")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures there.")
@click.option("--keep", is_flag=True, help="Leave the platform running afterwards.")
@click.option("--every", default=5, show_default=True, type=click.IntRange(1, 100), help="Ask about every n-th flight.")
@click.option("--full", is_flag=True, help="Replay April to December instead of April to early August.")
@click.option(
    "--profile",
    type=click.Choice(["embedded", "stack"]),
    default="embedded",
    show_default=True,
    help="What backs the services: SQLite and Redis, or real Kafka, PostgreSQL and Redis.",
)
@click.option("--without-ray", is_flag=True, help="Run training steps in the scheduler instead of on a Ray head.")
@click.option("--free-ports", is_flag=True, help="Take free ports instead of the well-known ones.")
def quickstart(
    *, json_file: Path | None, keep: bool, every: int, full: bool, profile: str, without_ray: bool, free_ports: bool
) -> None:
    """Features, two models, a year's flights replayed hour by hour, and the loop closed by itself.

    A platform that is up on $SLIPWAY_DATA (default: .slipway here) is used and left up; else one is started, and
    stopped at the end.
    """
    if json_file is not None and not json_file.parent.is_dir():
        raise invalid_field("--json", f"{json_file.parent} is no folder; make it, or name another file")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    screen = Screen()
    choices = ["--profile", profile, *(["--without", "ray"] if without_ray else [])]
    choices += ["--free-ports"] if free_ports else []
    if not _named() and status.current(data_root()).supervisor is None and not _lasting(profile):
        _set_aside(screen)
    with TemporaryDirectory() as folder, ThreadPoolExecutor(1) as beside:
        definitions = beside.submit(_compiled, Path(folder))
        with platform(screen, *choices, keep=keep):
            result = tell(screen, definitions, _FULL_END if full else _QUICK_END, every)
    Console().print(table(result))
    if json_file is not None:
        _write(json_file, result)
    if result.counted != result.predictions:
        raise QuickstartFailed(f"{result.predictions} predictions were answered, but {result.counted} counted")


def _write(file: Path, result: Result) -> None:
    try:
        file.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise invalid_field("--json", f"can't write {file}: {error.strerror}; name another file") from error


if __name__ == "__main__":
    quickstart(prog_name="scripts/quickstart")
