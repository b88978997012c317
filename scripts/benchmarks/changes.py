"""What a neighbour feels while an endpoint's versions and weights change and its workers die, both under load."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from scripts.benchmarks import ours, questions, report
from scripts.benchmarks.generator import Load, generate, loader
from scripts.benchmarks.models import TINY, Model
from scripts.benchmarks.servers import say
from slipway.client import AsyncSlipway, EndpointStatus, Route

CHANGED = replace(TINY, name="changed")
NOTHING, NOTHING_OF_TWO = "nothing", "nothing, two versions"
WEIGHTS = "other weights"
_NEIGHBOURS, _CALLERS = 4, 2
_WARM_UP_S, _LOOK_S, _PATIENCE_S = 0.5, 0.02, 60.0


class NotInEffect(Exception):
    """The gateway did not do what it was told; the message shows where it stands."""


@dataclass(frozen=True)
class Felt:
    """One kind of change in one run: how many there were, the neighbour's times, and what failed at either endpoint."""

    changes: int
    requests: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    failed: int


class Changes:
    """Does one kind of change to the endpoint after the other, each when the one before is in effect."""

    def __init__(self, client: AsyncSlipway, first: int, second: int, pause_s: float) -> None:
        self._client = client
        self._pause_s = pause_s
        self._versions = first, second
        self._turn = 0
        self.kinds: dict[str, Callable[[], Awaitable[None]]] = {
            NOTHING: self._nothing,
            "another version": self._reload,
            "another one, and back": self._roll_back,
            "kill -9 of its worker": self._kill,
            NOTHING_OF_TWO: self._nothing,
            WEIGHTS: self._weigh,
        }

    async def begin(self, kind: str) -> None:
        """Have the endpoint served as that kind of change finds it: by two versions where their weights change."""
        self._turn = 0
        await (self._weigh if kind in {NOTHING_OF_TWO, WEIGHTS} else self._reload)()

    async def go_on(self, kind: str, seconds: float) -> int:
        """Change for so long; how many changes came into effect."""
        count = 0
        ends = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(self._pause_s)
            self._turn += 1
            await self.kinds[kind]()
            count += kind not in {NOTHING, NOTHING_OF_TWO}
        return count

    async def _nothing(self) -> None:
        return

    async def _reload(self) -> None:
        """Load, warm, flip, drain; the other version's process ends."""
        await self._put(Route("main", "bench", version=self._versions[self._turn % 2], weight=1))

    async def _weigh(self) -> None:
        first, second = self._versions
        shares = (1, 9) if self._turn % 2 else (9, 1)
        await self._put(
            Route("main", "bench", version=first, weight=shares[0]),
            Route("other", "bench", version=second, weight=shares[1]),
        )

    async def _roll_back(self) -> None:
        """Put another version, or take that back, in turn."""
        if self._turn % 2:
            await self._reload()
            return
        before = (await self._client.registry.get_endpoint(CHANGED.name)).revision - 1
        back = await self._client.registry.roll_back(CHANGED.name, to_revision=before)
        await self._until(lambda served: served.revision >= back.revision)

    async def _kill(self) -> None:
        pids = {arm.worker_pid for arm in (await self._served()).routes} - {0}
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        await self._until(lambda served: all(arm.worker_pid and arm.worker_pid not in pids for arm in served.routes))

    async def _put(self, *routes: Route) -> None:
        put = await self._client.registry.put_endpoint(CHANGED.name, routes)
        await self._until(lambda served: served.revision >= put.revision)

    async def _until(self, holds: Callable[[EndpointStatus], bool]) -> None:
        ends = asyncio.get_running_loop().time() + _PATIENCE_S
        while asyncio.get_running_loop().time() < ends:
            served = await self._served()
            arms = served.routes
            if holds(served) and arms and all(arm.serving_version == arm.desired_version for arm in arms):
                return
            await asyncio.sleep(_LOOK_S)
        raise NotInEffect(f"a change came not into effect within {_PATIENCE_S:.0f} s: {served}")

    async def _served(self) -> EndpointStatus:
        found = [one for one in await self._client.inference.endpoints() if one.name == CHANGED.name]
        return found[0] if found else EndpointStatus(CHANGED.name, 0)


def _step_aside(*processes: int) -> None:
    """Leave the cores to the gateway and its callers: who tells it what to serve is elsewhere, where it matters."""
    for process in processes:
        for thread in Path(f"/proc/{process}/task").iterdir():
            # Not for children: the callers are this process's.
            policy = os.SCHED_IDLE | os.SCHED_RESET_ON_FORK
            with suppress(ProcessLookupError):  # a thread that has ended
                os.sched_setscheduler(int(thread.name), policy, os.sched_param(0))


async def _felt(changes: Changes, kind: str, gateway: str, seconds: float) -> Felt:
    """Both endpoints are asked all the while."""
    neighbour, changed, count = await asyncio.gather(
        _load(gateway, TINY, _NEIGHBOURS, seconds),
        _load(gateway, CHANGED, _CALLERS, seconds),
        changes.go_on(kind, seconds + _WARM_UP_S),
    )
    for load in (neighbour, changed):
        if load.failed:
            say(f"{kind}: {load.failed} failed: {load.codes} {load.message}")
    return Felt(
        count,
        neighbour.requests,
        neighbour.p50_ms,
        neighbour.p99_ms,
        neighbour.max_ms,
        neighbour.failed + changed.failed,
    )


async def _load(gateway: str, model: Model, callers: int, seconds: float) -> Load:
    asked = questions.model_infer(model, 1)
    return await asyncio.to_thread(
        generate, gateway, asked.method, asked.body, streams=callers, warm_up_s=_WARM_UP_S, seconds=seconds
    )


@asynccontextmanager
async def _changing(folder: Path, pause_s: float) -> AsyncIterator[tuple[Changes, str]]:
    """The platform, an endpoint beside the benchmark's own, two versions of its model; and the gateway's address."""
    async with ours.started(folder, options=["--patient"]) as platform:
        gateway = platform.gateway.address
        _step_aside(os.getpid(), *[pid for name, pid in platform.gateway.roots.items() if name != "gateway"])
        async with AsyncSlipway(registry=platform.registry, gateway=gateway) as client:
            artifact = await client.registry.upload_artifact(CHANGED.onnx)
            signature = questions.signature(CHANGED)
            first, second = [await client.registry.register_version("bench", artifact, signature) for _ in range(2)]
            yield Changes(client, first.number, second.number, pause_s), gateway


async def measure(runs: int, seconds: float, pause_s: float) -> dict[str, Any]:
    """Every kind of change, so many times; a ratio is to the time without changes in the same run."""
    hardware = report.hardware()
    with tempfile.TemporaryDirectory() as place:
        async with _changing(Path(place), pause_s) as (changes, gateway):
            found: dict[str, list[Felt]] = {kind: [] for kind in changes.kinds}
            for number in range(1, runs + 1):
                for kind, felt in found.items():
                    await changes.begin(kind)
                    one = await _felt(changes, kind, gateway, seconds)
                    felt.append(one)
                    times = f"p50 {one.p50_ms:.2f}  p99 {one.p99_ms:.2f}  max {one.max_ms:.1f} ms"
                    say(f"{number}/{runs}  {kind:<22} {one.changes:>3} changes  {times}  {one.failed} failed")
    rows = [_row(kind, felt, found[NOTHING_OF_TWO if kind == WEIGHTS else NOTHING]) for kind, felt in found.items()]
    return {
        "hardware": hardware,
        "runs": runs,
        "seconds": seconds,
        "pause_s": pause_s,
        "p99_to_nothing_goal": 1.2,
        "changes": rows,
    }


def _row(kind: str, felt: Sequence[Felt], nothing: Sequence[Felt]) -> dict[str, Any]:
    return {
        "change": kind,
        "changes": sum(one.changes for one in felt),
        "p50_ms": median(one.p50_ms for one in felt),
        "p99_ms": median(one.p99_ms for one in felt),
        "max_ms": max(one.max_ms for one in felt),
        "p50_to_nothing": median(one.p50_ms / base.p50_ms for one, base in zip(felt, nothing, strict=True)),
        "p99_to_nothing": median(one.p99_ms / base.p99_ms for one, base in zip(felt, nothing, strict=True)),
        "failed": sum(one.failed for one in felt),
        "runs": [asdict(one) for one in felt],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench changes", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=3, help="times that every kind of change is measured (default 3)")
    parser.add_argument("--seconds", type=float, default=6.0, help="seconds a kind and run (default 6)")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds from a change to the next (default 1)")
    given = parser.parse_args()
    loader()
    found = asyncio.run(measure(given.runs, given.seconds, given.pause))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    head = "| change | times | p50 ms | p99 ms | max ms | p99 to none | failed |"
    print(report.line(found["hardware"]), "", head, "|---|---:|---:|---:|---:|---:|---:|", sep="\n")
    line = "| {change} | {changes} | {p50_ms:.2f} | {p99_ms:.2f} | {max_ms:.1f} | {p99_to_nothing:.2f} | {failed} |"
    for row in found["changes"]:
        print(line.format(**row))


if __name__ == "__main__":
    main()
