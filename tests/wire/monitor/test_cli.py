"""The operator's verbs against the real monitor."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.monitor.cli import main

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def run(monitor: Any, *arguments: str) -> Result:
    environment = {"SLIPWAY_MONITOR_ADDRESS": monitor.address}
    return await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environment)


async def test_the_operator_sees_counts_and_windows(monitor: Any) -> None:
    later = monitor.batch(NOON + HOUR, version=4)
    await monitor.publisher.publish([monitor.event("e1", monitor.batch(NOON, NOON)), monitor.event("e2", later)])
    await monitor.until(3)
    both = [
        {"endpoint": "flight-delay", "model": "flights", "version": 3, "predictions": 2},
        {"endpoint": "flight-delay", "model": "flights", "version": 4, "predictions": 1},
    ]
    assert json.loads((await run(monitor, "predictions", "--json")).output) == both
    since = ("--endpoint", "flight-delay", "--since", "2013-06-01T15:00:00+02:00")
    assert json.loads((await run(monitor, "predictions", *since, "--json")).output) == both[1:]
    (window,) = json.loads((await run(monitor, "windows", "--until", "2013-06-01T13:00", "--json")).output)
    assert (window["start_time"], window["predictions"]) == (NOON.isoformat(), 2)
    assert "flight-delay" in (await run(monitor, "windows")).output
    assert (await run(monitor, "windows", "--endpoint", "never-seen")).output == "no predictions counted\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("predictions", "--since", "yesterday"), "'yesterday' is no moment; write 2013-01-05"),
        (("predictions", "--endpoint", "No Such!"), "endpoint: 'No Such!' is not allowed"),
        (("windows", "--since", "2013-02-01", "--until", "2013-01-01"), "start_time: is not before end_time"),
    ],
)
async def test_the_operator_is_told_what_is_wrong(monitor: Any, arguments: tuple[str, ...], told: str) -> None:
    result = await run(monitor, *arguments)
    assert result.exit_code == 2
    assert told in result.output
