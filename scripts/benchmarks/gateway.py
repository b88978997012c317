"""The gateway against a bare gRPC server, Python peers and a bare ONNX Runtime loop, in one run on one machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scripts.benchmarks import batches, cpu, report
from scripts.benchmarks.cases import GATEWAY, LIMIT, MEANING, VARIANTS, Case, UnknownWord, chosen
from scripts.benchmarks.generator import generate, loader
from scripts.benchmarks.measured import Measured, of_load, of_loop, rows_of
from scripts.benchmarks.models import session
from scripts.benchmarks.sampler import Samples
from scripts.benchmarks.servers import Servers, say, settle, started

_WARM_UP_S = 0.5
_SETTLE_S = 10.0
_FUNCTIONS = 40


class Bench:
    """Measures one case after the other."""

    def __init__(self, servers: Servers, seconds: float, connections: int) -> None:
        self._servers = servers
        self._seconds = seconds
        self._connections = connections

    def run(self, cases: Sequence[Case], label: str) -> Iterator[tuple[Case, Measured]]:
        """Every case once."""
        for case in cases:
            found = self._loop(case) if case.server == LIMIT else self._load(case)
            rates = f"{found.requests_per_s:>9,.0f}/s  p50 {found.p50_ms:.3f}  p99 {found.p99_ms:.3f} ms"
            batch = f"  {found.rows_a_batch:.1f} rows a batch" if found.rows_a_batch else ""
            say(f"{label}  {case!s:<34} {rates}  CPU {found.cpu_s_per_1000:.3f} s/1,000{batch}")
            yield case, found

    def _loop(self, case: Case) -> Measured:
        runs, feeds = session(case.model.onnx), {"x": case.model.rows(case.rows)}
        return of_loop(lambda: runs.run(["p"], feeds), case.rows, self._seconds)

    def _load(self, case: Case) -> Measured:
        server, question = self._servers.running[case.server], case.question()
        edges: list[dict[str, float]] = []

        def at_edge() -> None:
            if self._servers.samples:
                os.kill(server.roots["gateway"], signal.SIGUSR1)
            edges.append(cpu.seconds(server.roots))

        batches_before = batches.read(server.metrics)
        load = generate(
            server.address,
            question.method,
            question.body,
            streams=case.callers,
            connections=self._connections,
            warm_up_s=_WARM_UP_S,
            seconds=self._seconds,
            at_edges=at_edge,
        )
        if load.failed:
            say(f"{case}: {load.failed} failed: {load.codes} {load.message}")
        if self._servers.samples:
            samples = Samples.take(self._servers.samples)
            say(f"{case}: the gateway's process: {samples.top(load.requests, _FUNCTIONS)}")
        left = settle(server, _SETTLE_S) if server.metrics else 0
        rows_each = batches.read(server.metrics).rows_each_since(batches_before)
        return of_load(load, case.rows, *edges, unshipped=left, rows_a_batch=rows_each)


async def measure(given: argparse.Namespace, cases: Sequence[Case]) -> dict[str, Any]:
    """Every case, so many times; those that are compared, one right after the other."""
    hardware = report.hardware()
    with tempfile.TemporaryDirectory() as place:
        async with started(Path(place), cases, sampled=given.profile) as servers:
            bench, cases = Bench(servers, given.seconds, given.connections), servers.of(cases)
            minutes = len(cases) * given.runs * (given.seconds + _WARM_UP_S) / 60
            say(f"{len(cases)} cases, {given.runs} runs: about {minutes:.1f} minutes")
            runs = [dict(bench.run(cases, f"{number}/{given.runs}")) for number in range(1, given.runs + 1)]
    rows = rows_of(runs)
    return {
        "hardware": hardware,
        "runs": given.runs,
        "seconds": given.seconds,
        "connections": given.connections,
        "servers": {name: MEANING[name] for name in dict.fromkeys(case.server for case in cases)},
        "goals": report.goals(rows),
        "cases": rows,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench gateway", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=5, help="times that every case is measured (default 5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds a case and run (default 2)")
    parser.add_argument("--connections", type=int, default=1, help="connections of the callers (default 1)")
    parser.add_argument("--only", default="", help="servers, models, x1 x32, c1 c8 c64, with commas between them")
    parser.add_argument("--profile", action="store_true", help="sample the gateway's process, print its functions")
    given = parser.parse_args()
    try:
        given.cases = chosen([word for word in given.only.split(",") if word])
    except UnknownWord as error:
        parser.error(f"--only: {error}")
    if given.profile:
        given.cases = [one for one in given.cases if one.server.startswith(GATEWAY) and one.server not in VARIANTS]
    if not given.cases:
        parser.error("--only leaves nothing to measure")
    return given


def main() -> None:
    """Measure and print."""
    given = _arguments()
    loader()
    found = asyncio.run(measure(given, given.cases))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(report.line(found["hardware"]), "", report.table(found["cases"]), "", sep="\n")
    print(json.dumps(found["goals"], indent=2))


if __name__ == "__main__":
    main()
