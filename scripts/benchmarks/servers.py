"""The servers that some cases need, up and asked once."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from scripts.benchmarks import ours, peers
from scripts.benchmarks.cases import FLOOR, GATEWAY, LIMIT, PEERS, Case
from scripts.benchmarks.models import MODELS
from scripts.benchmarks.processes import NotStarted, Running, free_port, process, tails
from slipway.client import Slipway

_START_S = 60.0


@dataclass(frozen=True)
class Servers:
    """By name; those that can't be had here are missing. ``samples`` is where the gateway writes its own, if any."""

    running: Mapping[str, Running]
    samples: Path | None

    def of(self, cases: Sequence[Case]) -> list[Case]:
        """The cases that can be measured."""
        return [case for case in cases if case.server in self.running or case.server == LIMIT]


@asynccontextmanager
async def started(folder: Path, cases: Sequence[Case], *, sampled: bool) -> AsyncIterator[Servers]:
    """All that the cases need, each asked once. Raises NotStarted, and WrongAnswer where one is not ONNX Runtime's."""
    wanted = {case.server for case in cases}
    with _others(folder, wanted) as others:
        if not any(name.startswith(GATEWAY) for name in wanted):
            _check(others, cases, folder)
            yield Servers(others, None)
            return
        say("starting the registry, feature serving, Redis and the gateway")
        async with ours.started(folder, wanted, sampled=sampled) as platform:
            found = others | {name: platform.gateway for name in wanted if name.startswith(GATEWAY)}
            found |= platform.variants
            _check(found, cases, folder)
            yield Servers(found, platform.samples)


@contextmanager
def _others(folder: Path, wanted: set[str]) -> Iterator[dict[str, Running]]:
    models = folder / "models"
    models.mkdir()
    for model in MODELS:
        (models / f"{model.name}.onnx").write_bytes(model.onnx)
    found = {}
    with ExitStack() as running:
        for name in (FLOOR, *PEERS):
            if name not in wanted:
                continue
            port = free_port()
            try:
                command = _command(name, models, port)
            except peers.NotInstallable as error:
                say(f"without {name}: {error}")
                continue
            say(f"starting {name}")
            environment = dict(os.environ) if name == FLOOR else peers.variables()
            server = running.enter_context(process(command, folder / f"{name}.log", environment))
            found[name] = Running(f"127.0.0.1:{port}", {"server": server.pid})
        yield found


def _command(name: str, models: Path, port: int) -> list[str]:
    if name == FLOOR:
        return [sys.executable, "-m", "scripts.benchmarks.bare_server", str(models), str(port)]
    return peers.command(name, models, port, (free_port(), free_port()))


def _check(running: Mapping[str, Running], cases: Sequence[Case], folder: Path) -> None:
    for case in {(one.server, one.model, one.rows): one for one in cases if one.server in running}.values():
        try:
            case.question().check(running[case.server].address, case.model, case.rows, _START_S)
        except grpc.RpcError as error:
            raise NotStarted(f"{case} does not answer: {error}\n{tails(folder)}") from error


def settle(server: Running, patience_s: float) -> int:
    """Wait until a gateway's log is on the event bus, and the cores are free again; how many batches were not there."""
    with Slipway(gateway=server.address) as client:
        left = client.inference.prediction_log().pending_batches
        ends = time.monotonic() + patience_s
        while client.inference.prediction_log().pending_batches and time.monotonic() < ends:
            time.sleep(0.02)
    return left


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
