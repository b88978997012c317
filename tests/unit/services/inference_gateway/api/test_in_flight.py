"""Many requests at once: how many are taken, when, and what becomes of them at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from google.protobuf.wrappers_pb2 import BytesValue, Int32Value

from services.inference_gateway.api.in_flight import InFlight

PATIENCE_S = 10.0


class Caller:
    """Asks by numbers, without end or until it fails; counts what was taken of it."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.taken = 0
        self._fails_at = fails_at

    async def __aiter__(self) -> AsyncIterator[Int32Value]:
        while self.taken != self._fails_at:
            self.taken += 1
            yield Int32Value(value=self.taken)
        raise ConnectionError("no more")


async def settled(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)


async def echo(request: Int32Value) -> Int32Value:
    return request


async def test_a_caller_without_end_is_held_up_until_answers_are_taken() -> None:
    caller = Caller()
    answers = InFlight(echo, most_requests=4).answers(aiter(caller))
    assert (await anext(answers)).value == 1
    await settled(lambda: caller.taken >= 5)
    # Four have a place, one waits for it.
    assert caller.taken == 5
    assert (await anext(answers)).value == 2
    await settled(lambda: caller.taken >= 6)
    assert caller.taken == 6
    await answers.aclose()


async def test_large_requests_have_no_room_together_but_each_alone() -> None:
    taken = []

    async def ask() -> AsyncIterator[BytesValue]:
        for number in range(3):
            taken.append(number)
            yield BytesValue(value=b"x" * 100)

    answers = InFlight(echo, most_bytes=50).answers(ask())  # type: ignore[type-var]
    await anext(answers)
    assert taken == [0, 1]
    assert [one async for one in answers] == [BytesValue(value=b"x" * 100)] * 2


async def test_each_is_answered_when_it_is_ready_and_all_before_what_ends_them_is_told() -> None:
    turn = asyncio.Event()

    async def answer(request: Int32Value) -> Int32Value:
        if request.value == 1:
            await turn.wait()
        return request

    answers = InFlight(answer).answers(aiter(Caller(fails_at=3)))
    assert [(await anext(answers)).value for _ in range(2)] == [2, 3]
    turn.set()
    assert (await anext(answers)).value == 1
    with pytest.raises(ConnectionError):
        await anext(answers)
