"""An event log that is away for long, while everything else goes on."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from scripts.chaos import gauge
from scripts.chaos.fault import Injection
from scripts.chaos.faults.plain import Plain
from scripts.chaos.load import Needs, Scene
from slipway.client import PredictionLog
from slipway.errors import Unavailable
from slipway.events.sqlite import address
from slipway.supervisor.health import Probe
from slipway.supervisor.spec import UnitSpec

GATEWAY = "inference_gateway"
_LASTS_S = 15.0
_DRAINS_WITHIN_S = 300.0
_LOOK_S = 0.1
_SETTLED_S = 3.0
_SMALL_SPOOL = """
[spool]
limit_bytes = 262144
segment_bytes = 65536
"""


class EventLogAway(Plain):
    """The event log takes nothing, for as long as the run may last; halfway a gateway is killed, and starts without.

    Kafka's broker is killed, and kept from starting. In the embedded profile another writer holds the log's lock.
    """

    name = "event-log-away"

    def __init__(self) -> None:
        self._away = False

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        """See Fault."""
        return replace(unit, needs=self._held_back(unit.needs)) if unit.name == "kafka" else unit

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        lasts_s, before_s = scene.seconds or _LASTS_S, time.monotonic()
        facts: dict[str, Any] = {"lasted_s": lasts_s}
        async with self._outage(scene):
            began_s = time.monotonic()
            if GATEWAY in needs.victims:
                await self._without_log(scene, lasts_s, facts)
            else:
                await asyncio.sleep(lasts_s)
        healed_s = time.monotonic()
        if GATEWAY in needs.victims:
            await _drained(scene, facts)
            p99 = (before_s - _SETTLED_S, began_s), (began_s, began_s + lasts_s / 2), (healed_s, time.monotonic())
            for name, stretch in zip(("before", "during", "after"), p99, strict=True):
                facts[f"p99_{name}_s"] = gauge.p99_s(scene.history.operations, needs.aside, *stretch)
        return Injection(began_s, f"the event log was away for {lasts_s:.0f} s{_told(facts)}", facts=facts)

    async def _without_log(self, scene: Scene, lasts_s: float, facts: dict[str, Any]) -> None:
        await asyncio.sleep(lasts_s / 2)
        pid, killed_s = await scene.platform.pid_of_serving(GATEWAY), time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await scene.platform.died(GATEWAY, pid, _DRAINS_WITHIN_S)
        await scene.platform.pid_of_serving(GATEWAY)
        facts["started_without_s"] = round(time.monotonic() - killed_s, 2)
        await asyncio.sleep(max(0.0, killed_s + lasts_s / 2 - time.monotonic()))

    def _held_back(self, needs: Probe) -> Probe:
        async def held() -> str | None:
            return "the end of its outage" if self._away else await needs()

        return held

    @asynccontextmanager
    async def _outage(self, scene: Scene) -> AsyncIterator[None]:
        """No event log inside of it, and a working one after it."""
        if not scene.platform.events.startswith("kafka://"):
            path = address.parse(scene.platform.events).path
            writer = sqlite3.connect(path, timeout=_DRAINS_WITHIN_S, isolation_level=None, check_same_thread=False)
            with closing(writer):
                await asyncio.to_thread(writer.execute, "BEGIN IMMEDIATE")
                yield
            return
        self._away = True
        try:
            pid = await scene.platform.pid_of_serving("kafka")
            os.kill(pid, signal.SIGKILL)
            await scene.platform.died("kafka", pid, _DRAINS_WITHIN_S)
            yield
        finally:
            self._away = False
        await scene.platform.pid_of_serving("kafka")


class SpoolFull(EventLogAway):
    """The same with a spool that soon is full: answers go on, and what is not logged is counted."""

    name = "spool-full"

    def __init__(self) -> None:
        super().__init__()
        self._config = Path()

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        return None if GATEWAY in needs.victims else "it keeps no spool"

    @asynccontextmanager
    async def around(self, folder: Path) -> AsyncIterator[None]:
        """See Fault."""
        self._config = folder / "small_spool.toml"
        self._config.write_text(_SMALL_SPOOL, encoding="utf-8")
        yield

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        """See Fault: the gateway's spool is small."""
        if unit.name == GATEWAY:
            return replace(unit, command=(*unit.command, "--config", str(self._config)))
        return await super().adapt(unit)

    async def _without_log(self, scene: Scene, lasts_s: float, facts: dict[str, Any]) -> None:
        # Its count of what it could not log is its process's.
        await asyncio.sleep(lasts_s)


async def _backlog(scene: Scene) -> PredictionLog:
    """What the gateway has not shipped. Raises Unavailable."""
    until_s = time.monotonic() + _DRAINS_WITHIN_S
    while True:
        try:
            return await scene.slipway.inference.prediction_log()
        except Unavailable:
            # A connection that was refused for long waits for some seconds before it tries again, though it serves.
            if time.monotonic() > until_s:
                raise
            await asyncio.sleep(_LOOK_S)


async def _drained(scene: Scene, facts: dict[str, Any]) -> None:
    """Wait until the spool is empty, and note what was in it and how long that took."""
    log, began_s = await _backlog(scene), time.monotonic()
    facts |= {"spooled_batches": log.pending_batches, "spooled_bytes": log.pending_bytes}
    while log.pending_batches and time.monotonic() < began_s + _DRAINS_WITHIN_S:
        await asyncio.sleep(_LOOK_S)
        log = await _backlog(scene)
    facts |= {"drained_s": round(time.monotonic() - began_s, 2), "not_logged": log.dropped_predictions}


def _told(facts: dict[str, Any]) -> str:
    """What became of the spool, in words."""
    if "spooled_batches" not in facts:
        return ""
    p99 = ", ".join(f"{1000 * (facts[f'p99_{name}_s'] or 0):.0f} ms {name}" for name in ("before", "during", "after"))
    return (
        f"; {facts['spooled_batches']} batches ({facts['spooled_bytes']} bytes) spooled, shipped in "
        f"{facts['drained_s']} s, {facts['not_logged']} predictions not logged; p99 {p99}"
    )
