"""A version that kills its workers: its arm is taken out with a reason, and comes back with a change."""

from __future__ import annotations

import os
import signal
from typing import Any

from slipway.client import VersionState


async def test_a_version_that_kills_its_workers_is_failed_and_comes_back_with_a_change(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(worker={"device": "cpu", "quarantine_deaths": 2})
    sound, deadly = await world.register(1.0), await world.register(2.0)
    await world.route("late", ("main", sound, 50), ("candidate", deadly, 50))
    await world.ready("late", sound, deadly)
    killed: set[int] = set()
    for _ in range(2):
        arms = await world.until("late", lambda arms: arms[1].worker_pid not in {0, *killed})
        killed.add(arms[1].worker_pid)
        os.kill(arms[1].worker_pid, signal.SIGKILL)
    main, candidate = await world.until("late", lambda arms: arms[1].state is VersionState.FAILED)
    why = f"m/{deadly} is in quarantine: 2 of its workers died within 300 s, the last one ended by SIGKILL"
    assert (candidate.reason, candidate.worker_pid, candidate.weight) == (why, 0, 0)
    assert candidate.disabled_reason == f"it can't be loaded: {why}"
    assert (main.state, main.weight) == (VersionState.READY, 50)
    keys = [{"flight": number} for number in range(20)]
    answers = await world.client.inference.predict("late", [world.row] * 20, entity_keys=keys)
    assert {one.version for one in answers} == {sound}

    await world.route("late", ("main", sound, 50), ("candidate", deadly, 49))
    await world.ready("late", sound, deadly)
    answers = await world.client.inference.predict("late", [world.row] * 20, entity_keys=keys)
    assert {one.version for one in answers} == {sound, deadly}
