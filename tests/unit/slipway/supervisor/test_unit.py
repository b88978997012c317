from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from slipway.clock import ManualClock
from slipway.supervisor.policy import Rules
from slipway.supervisor.spec import UnitSpec
from slipway.supervisor.unit import Unit


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)


async def test_what_a_start_has_waited_for_a_while_is_told_until_it_is_there(tmp_path: Path) -> None:
    lacks: list[str | None] = ["its disk is full"]

    async def needs() -> str | None:
        return lacks[0]

    async def answers() -> str | None:
        return None

    clock, told = ManualClock(), list[str | None]()
    command = (sys.executable, "-c", "import signal; signal.pause()")
    spec = UnitSpec("kafka", command, dict(os.environ), {}, answers, tmp_path / "log", needs=needs)
    unit = Unit(spec, tmp_path, clock, Rules(), lambda: told.append(unit.status().reason))
    running = asyncio.create_task(unit.run())
    try:
        for _ in range(60):
            clock.advance(0.1)
            await asyncio.sleep(0)
        await until(lambda: told)
        assert told == ["its disk is full"]
        assert unit.status().pid is None
        lacks[0] = None
        while unit.status().pid is None:
            clock.advance(0.1)
            await asyncio.sleep(0)
        assert unit.status().reason is None
    finally:
        unit.ask_stop()
        while not running.done():
            clock.advance(0.1)
            await asyncio.sleep(0)
