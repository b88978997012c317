from __future__ import annotations

import asyncio

from services.inference_gateway.engine.gathering import Gathering

LONG_S = 3600.0


class Begun:
    """Counts how often it was begun, by whom, and in how many turns of the loop."""

    def __init__(self, longest_s: float = LONG_S) -> None:
        self.times = 0
        self.gathering = Gathering(self._begin, longest_s)

    def _begin(self) -> None:
        self.times += 1

    async def turns(self) -> int:
        """Turns of the loop until it begins once more."""
        before, turns = self.times, 0
        while self.times == before:
            await asyncio.sleep(0)
            turns += 1
        return turns


async def test_a_lone_caller_waits_for_nobody() -> None:
    begun = Begun()
    for _ in range(3):
        begun.gathering.came(1)
        assert await begun.turns() == 1
        begun.gathering.left(0)


async def test_a_lone_caller_who_is_all_that_came_does_not_wait_for_a_turn() -> None:
    begun = Begun()
    for times in (1, 2):
        begun.gathering.came(1, at_once=True)
        assert begun.times == times
        begun.gathering.left(0)
    begun.gathering.came(5, 5, at_once=True)
    begun.gathering.came(6, 1, at_once=True)
    assert begun.times == 2
    assert await begun.turns() == 1


async def test_as_many_as_are_known_to_call_begin_together() -> None:
    begun = Begun()
    for are_open in (1, 2, 3):
        begun.gathering.came(are_open)
    await begun.turns()
    for are_open in (1, 2):
        begun.gathering.came(are_open)
    await asyncio.sleep(0)
    assert begun.times == 1
    begun.gathering.came(3)
    assert await begun.turns() == 1


async def test_who_is_known_to_call_and_does_not_is_not_waited_for_long() -> None:
    begun = Begun()
    for are_open in (1, 2, 3):
        begun.gathering.came(are_open)
    await begun.turns()
    begun.gathering.came(1)
    alone = await begun.turns()
    assert 1 < alone < 100


async def test_each_who_comes_makes_it_worth_waiting_on() -> None:
    begun = Begun()
    for are_open in range(1, 13):
        begun.gathering.came(are_open)
    await begun.turns()
    begun.gathering.came(1)
    for are_open in range(2, 11):
        for _ in range(15):
            await asyncio.sleep(0)
        begun.gathering.came(are_open)
    assert begun.times == 1


async def test_it_never_waits_longer_than_allowed() -> None:
    begun = Begun(longest_s=1e-9)
    for are_open in (1, 2, 3):
        begun.gathering.came(are_open)
    await begun.turns()
    begun.gathering.came(1)
    assert await begun.turns() <= 2


async def test_without_a_time_to_wait_it_begins_at_once() -> None:
    begun = Begun(longest_s=0.0)
    for are_open in (1, 2, 3):
        begun.gathering.came(are_open)
        assert await begun.turns() == 1


async def test_a_crowd_that_left_is_forgotten() -> None:
    begun = Begun()
    for are_open in range(1, 65):
        begun.gathering.came(are_open)
    await begun.turns()
    waited = []
    for _ in range(100):
        begun.gathering.came(1)
        waited.append(await begun.turns())
        begun.gathering.left(0)
    assert waited[0] > 1
    assert waited[-1] == 1


async def test_more_than_enough_begin_without_waiting_for_the_rest() -> None:
    begun = Begun()
    for are_open in range(1, 65):
        begun.gathering.came(are_open)
    await begun.turns()
    for are_open in range(1, 17):
        begun.gathering.came(are_open)
    assert await begun.turns() == 1
