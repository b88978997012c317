"""perf_analyzer against a gateway: each way of asking must work, and its statistics must say what was asked."""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import subprocess
import tempfile
from pathlib import Path

from scripts.benchmarks.models import TINY
from scripts.benchmarks.questions import signature
from scripts.interop.served import Model, Served, served

WAYS = {
    "gRPC": ("-i", "grpc"),
    "gRPC, 8 rows": ("-i", "grpc", "-b", "8"),
    "gRPC, streaming": ("-i", "grpc", "--streaming", "--async"),
    "HTTP": ("-i", "http"),
}


class Failed(Exception):
    """perf_analyzer did not do its work; the message is what it said."""


async def measure(client: Path, way: str, at: Served, options: argparse.Namespace, report: Path) -> dict[str, str]:
    """One run of perf_analyzer; the row of its report. Raises Failed."""
    address = at.http if way == "HTTP" else at.grpc
    command = [
        *(str(client / "bin/perf_analyzer"), "-m", TINY.name, "-u", address, *WAYS[way]),
        *("--concurrency-range", str(options.concurrency), "-p", str(options.seconds * 1000), "-f", str(report)),
        *("--stability-percentage", "999", "--max-trials", "3"),  # whether it works is asked, not how evenly
    ]
    environment = os.environ | {"LD_LIBRARY_PATH": str(client / "lib")}
    running = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await running.communicate()
    if running.returncode:
        raise Failed(f"{way}: {said.decode(errors='replace')}")
    return read(report)


def read(report: Path) -> dict[str, str]:
    """The one row of a report."""
    with report.open() as lines:
        [row] = csv.DictReader(lines)
    return row


async def run(client: Path, options: argparse.Namespace) -> None:
    """Every way, with a line each. Raises Failed."""
    with tempfile.TemporaryDirectory() as folder:
        async with served(Path(folder), {TINY.name: Model(TINY.onnx, signature(TINY))}) as at:
            for number, way in enumerate(WAYS):
                row = await measure(client, way, at, options, Path(folder) / f"{number}.csv")
                rate, half, last = (float(row[name]) for name in ("Inferences/Second", "p50 latency", "p99 latency"))
                if not float(row["Server Compute Infer"]):
                    raise Failed(f"{way}: the gateway's statistics tell no time of the model: {row}")
                print(f"{way:<16} {rate:>8.0f} rows/s   p50 {half / 1e3:.2f} ms   p99 {last / 1e3:.2f} ms")


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, prog="scripts/interop/perf_analyzer")
    parser.add_argument("client", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=2, help="how long each way is measured at once")
    parser.add_argument("--concurrency", type=int, default=4, help="requests at once")
    options = parser.parse_args()
    try:
        asyncio.run(run(options.client, options))
    except Failed as failed:
        parser.exit(1, f"{failed}\n")


if __name__ == "__main__":
    main()
