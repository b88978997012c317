"""Whatever an operator changes, and whichever worker dies, under load: no request fails, and each answer is right."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from typing import Any

CALLERS = 6


class Load:
    """Callers of one endpoint, each asking again as it is answered; every answer is checked against its version."""

    def __init__(self, client: Any, endpoint: str, row: dict[str, Any], plus: dict[int, float]) -> None:
        self._client = client
        self._endpoint = endpoint
        self._row = row
        self._plus = plus
        self._callers: list[asyncio.Task[None]] = []
        self.answers: Counter[int] = Counter()

    def start(self) -> None:
        self._callers = [asyncio.create_task(self._call(n)) for n in range(CALLERS)]

    async def more(self, version: int, answers: int = 10) -> None:
        """Return when the version has answered some more."""
        end = self.answers[version] + answers
        while self.answers[version] < end:
            for caller in self._callers:
                if caller.done():
                    caller.result()
            await asyncio.sleep(0.005)

    async def __aenter__(self) -> Load:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        for caller in self._callers:
            caller.cancel()
        for one in await asyncio.gather(*self._callers, return_exceptions=True):
            assert isinstance(one, asyncio.CancelledError), one

    async def _call(self, number: int) -> None:
        asked = 0
        while True:
            asked += 1
            distance = float(1_000 * number + asked % 1_000)
            [answer] = await self._client.inference.predict(
                self._endpoint, [self._row | {"distance": distance}], entity_keys=[{"flight": f"{number}/{asked}"}]
            )
            assert answer.outputs["p"][0] == distance + self._plus[answer.version]
            self.answers[answer.version] += 1


async def test_no_request_fails_while_versions_and_weights_change_and_workers_die(world: Any) -> None:
    old, new = await world.register(0.0), await world.register(0.5)
    neighbour = await world.register(0.25, model="n")
    await world.route("late", ("main", old, 1))
    await world.route("other", ("main", neighbour, 1), model="n")
    await world.ready("late", old)
    await world.ready("other", neighbour)
    late = Load(world.client, "late", world.row, {old: 0.0, new: 0.5})
    other = Load(world.client, "other", world.row, {neighbour: 0.25})
    async with late, other:
        await late.more(old)
        await world.route("late", ("main", new, 1))  # load, warm, flip, drain
        await late.more(new)
        flipped = (await world.client.registry.get_endpoint("late")).revision
        await world.route("late", ("main", new, 9), ("old", old, 1))
        await late.more(old)
        await world.route("late", ("main", new, 1), ("old", old, 9))
        await late.more(new)
        await world.client.registry.roll_back("late", to_revision=flipped)
        await world.until("late", lambda arms: [arm.serving_version for arm in arms] == [new])
        await late.more(new)
        for endpoint in ("late", "other"):
            for arm in (await world.status(endpoint)).routes:
                os.kill(arm.worker_pid, signal.SIGKILL)
        await late.more(new, 20)
        await other.more(neighbour, 20)

    answered = sum(late.answers.values()) + sum(other.answers.values())
    logged = [
        name for endpoint in ("late", "other") for one in await world.logged(endpoint, 1) for name in one.prediction_ids
    ]
    assert len(logged) == len(set(logged))
    assert answered > 100
