"""What a gateway tells about itself, and the verb that shows it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner

from services.inference_gateway.cli import main

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_requests_rows_batches_and_failures_are_counted_and_workers_named(served: Any) -> None:
    before = await served.client.inference.statistics()
    arm, version = before.endpoints["late"].arms["main"], before.versions["m", 1]
    await asyncio.gather(*(served.client.inference.predict("late", [served.row] * 3) for _ in range(4)))
    await served.client.inference.predict("late", [served.row])
    after = await served.client.inference.statistics()
    now, ran = after.endpoints["late"].arms["main"], after.versions["m", 1]
    assert (now.model, now.version, now.weight, now.failed_requests) == ("m", 1, 1, arm.failed_requests)
    for one in ("request_seconds", "queue_seconds", "request_rows"):
        assert getattr(now, one).since(getattr(arm, one)).count == 5
    assert now.request_rows.since(arm.request_rows).total == 13
    batches = ran.batch_rows.since(version.batch_rows)
    assert (batches.total, ran.compute_seconds.since(version.compute_seconds).count) == (13, batches.count)
    assert (ran.waiting_rows, ran.running_batches, ran.running_rows) == (0, 0, 0)
    assert [one.pid for one in ran.workers] == [(await served.status("late")).routes[0].worker_pid]
    assert ran.workers[0].resident_bytes > 1024**2
    assert before.start_time == after.start_time < before.time < after.time


async def test_top_tells_what_happened_between_two_looks(served: Any) -> None:
    arguments = ["top", "--once", "--json", "--interval", "0.5", "--address", served.address]
    looking = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, main, arguments))
    asked = 0
    while not looking.done():
        await served.client.inference.predict("late", [served.row] * 2)
        asked += 1
    told = json.loads((await looking).output)
    [arm] = told["arms"]
    assert (arm["endpoint"], arm["route"], arm["model"], arm["version"]) == ("late", "main", "m", 1)
    assert 0 < arm["requests_per_s"] * told["interval_s"] <= asked
    assert arm["rows_per_s"] == pytest.approx(2 * arm["requests_per_s"])
    assert 0 < arm["p50_ms"] <= arm["p99_ms"]
    assert (arm["batch_rows"], arm["errors_per_s"], len(arm["workers"])) == (2.0, 0.0, 1)
    assert [one["tenant"] for one in told["tenants"]] == ["default"]
    assert told["spool"]["dropped_predictions"] == 0
    drawn = await asyncio.to_thread(CliRunner().invoke, main, [one for one in arguments if one != "--json"])
    assert drawn.exit_code == 0
    assert "spool" in drawn.output
    live = await asyncio.to_thread(CliRunner().invoke, main, ["top", "--address", served.address])
    assert (live.exit_code, "--once: is missing" in live.stderr) == (2, True)
