from __future__ import annotations

import asyncio
import os
import signal
from typing import Any

import aiohttp

BODY = {
    "inputs": [
        {"name": "distance", "datatype": "FP32", "shape": [1], "data": [1]},
        {"name": "stops", "datatype": "INT64", "shape": [1], "data": [2]},
    ]
}


async def send(world: Any) -> tuple[int, str]:
    """The status, and what is said about trying again."""
    url = world.http + "/v2/models/late/infer"
    async with aiohttp.ClientSession() as session, session.post(url, json=BODY) as answer:
        return answer.status, answer.headers.get("Retry-After", "")


async def test_a_full_queue_is_503_with_a_hint(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(batch={"queue_requests": 1})
    await world.standing("late")
    pid = (await world.status("late")).routes[0].worker_pid
    os.kill(pid, signal.SIGSTOP)
    try:
        waiting = [asyncio.create_task(send(world)) for _ in range(12)]
        done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert next(iter(done)).result() == (503, "1")
    finally:
        os.kill(pid, signal.SIGCONT)
    answered = [await one for one in pending]
    assert (200, "") in answered
