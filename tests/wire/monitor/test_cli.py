"""The operator's verbs against the real monitor."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from services.monitor.cli import main
from slipway.gen.slipway.inference.v1 import events_pb2

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


async def test_the_operator_sees_dead_letters(poisoned: Any) -> None:
    junk, uneven = json.loads((await run(poisoned, "dead-letters", "--json")).output)
    assert (junk["event_id"], junk["offset"], junk["size_bytes"], "value" in junk) == ("junk", 1, 2, False)
    assert (uneven["topic"], uneven["time"]) == ("inference.predictions.v1", NOON.isoformat())
    told, _ = json.loads((await run(poisoned, "dead-letters", "--values", "--json")).output)
    assert base64.b64decode(told["value"]) == b"\xff\xff"
    lines = (await run(poisoned, "dead-letters")).output.splitlines()
    assert len(lines) == 3
    assert "input_digests: has 2 values" in lines[2]


async def test_the_operator_is_told_that_there_are_no_dead_letters(monitor: Any) -> None:
    assert (await run(monitor, "dead-letters")).output == "no dead letters\n"


async def test_the_operator_sees_performance_and_labels(monitor: Any) -> None:
    output = events_pb2.OutputColumn(name="probability", width=1, values=[0.75, 0.25])
    await monitor.publisher.publish([monitor.event("e1", monitor.batch(NOON, NOON, outputs=[output]))])
    await monitor.until(2)
    await monitor.client.monitor.record_labels("flight-delay", ["0", "unknown"], [1, 1], NOON + HOUR)
    (window,) = json.loads((await run(monitor, "performance", "--endpoint", "flight-delay", "--json")).output)
    assert (window["joined"], window["predictions"], window["coverage"], window["auc"]) == (1, 2, 0.5, None)
    assert (window["brier"], window["calibration"][0]["predictions"]) == (0.0625, 1)
    assert window["newest_label_time"] == (NOON + HOUR).isoformat()
    assert "flight-delay" in (await run(monitor, "performance")).output
    (labels,) = json.loads((await run(monitor, "labels", "--json")).output)
    assert (labels["labels_joined"], labels["labels_waiting"], labels["coverage"]) == (1, 1, 0.5)
    assert "flight-delay" in (await run(monitor, "labels", "--endpoint", "flight-delay")).output
    assert (await run(monitor, "performance", "--endpoint", "never-seen")).output == "no predictions counted\n"


async def test_the_operator_is_told_that_there_are_no_labels(monitor: Any) -> None:
    assert (await run(monitor, "labels")).output == "no predictions and no labels\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("predictions", "--since", "yesterday"), "'yesterday' is no moment; write 2013-01-05"),
        (("predictions", "--endpoint", "No Such!"), "endpoint: 'No Such!' is not allowed"),
        (("labels", "--endpoint", "No Such!"), "endpoint: 'No Such!' is not allowed"),
        (("performance", "--since", "2013-02-01", "--until", "2013-01-01"), "start_time: is not before end_time"),
        (("windows", "--since", "2013-02-01", "--until", "2013-01-01"), "start_time: is not before end_time"),
    ],
)
async def test_the_operator_is_told_what_is_wrong(monitor: Any, arguments: tuple[str, ...], told: str) -> None:
    result = await run(monitor, *arguments)
    assert result.exit_code == 2
    assert told in result.output
