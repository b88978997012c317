"""The gateway's own command, with what a benchmark needs to see: samples of its CPU time, or no log at all."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from scripts.benchmarks import sampler
from services.inference_gateway import cli
from services.inference_gateway import main as root
from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.ports import Backlog, Remembered
from slipway.events import Event


class Discarding:
    """A prediction log that keeps nothing: what logging costs shows beside a gateway that has one.

    Not for serving: it breaks the promise that every answer is on disk. So no configuration can choose it.
    """

    def __init__(self, *_: object) -> None:
        """Take what the real one takes."""

    def draft(self, answer: Answer, *, first: bool) -> bytes:
        """Write nothing."""
        return b""

    def append(self, answers: Sequence[Answer], now: datetime) -> None:
        """Keep nothing."""

    def sync(self) -> None:
        """Nothing is there."""

    async def sync_aside(self) -> None:
        """Nothing is there."""

    def replay(self) -> Iterator[Remembered]:
        """Nothing is there."""
        return iter(())

    def unshipped(self) -> Iterator[Event]:
        """Nothing is there."""
        return iter(())

    def shipped(self, events: Sequence[Event]) -> None:
        """Nothing is there."""

    def backlog(self) -> Backlog:
        """Nothing is there."""
        return Backlog(0, 0, 1)


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unlogged", action="store_true", help="keep no prediction log")
    parser.add_argument("--grpc", action="store_true", help="take calls in by Python's gRPC")
    parser.add_argument("--patient", action="store_true", help="put no version in quarantine, whatever it dies of")
    parser.add_argument("--samples", type=Path, help="on SIGUSR1 begin to sample, on the next one write them here")
    given = parser.parse_args()
    if given.unlogged:
        vars(root)["SpooledLog"] = Discarding
    if given.samples:
        sampler.on_signal(given.samples)
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(f'[rpc]\nfront = "{"grpc" if given.grpc else "auto"}"\n')
        if given.patient:
            file.write("[worker]\nquarantine_deaths = 1000\n")
        file.flush()
        sys.argv = ["slipway-gateway", "serve", "--config", file.name]
        cli.main()


if __name__ == "__main__":
    main()
