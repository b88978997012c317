from __future__ import annotations

import asyncio
import random

import pytest

from services.inference_gateway.domain.answer import Prediction
from services.inference_gateway.domain.errors import PredictionIdReused
from services.inference_gateway.engine.memory import Memory
from services.inference_gateway.ports import Remembered


def prediction(one: str, value: float = 1.0) -> Prediction:
    return Prediction(one, {"p": (value,)}, "m", 1, "main")


def marks(ids: list[str]) -> list[bytes]:
    return [one.encode() for one in ids]


class Asker:
    """Answers what it may, one value a computation, and says how often an id was computed."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.computed: list[str] = []
        self.most_running: dict[str, int] = {}
        self.running: dict[str, int] = {}

    async def ask(self, ids: list[str], gate: asyncio.Event | None = None, fail: bool = False) -> list[Prediction]:
        async with self.memory.claim(ids, marks(ids)) as claim:
            mine = [ids[row] for row in claim.fresh]
            for one in mine:
                self.running[one] = self.running.get(one, 0) + 1
                self.most_running[one] = max(self.most_running.get(one, 0), self.running[one])
            try:
                await (gate.wait() if gate else asyncio.sleep(0))
                if fail:
                    raise RuntimeError("the worker died")
                self.computed += mine
                made = [prediction(one, len(self.computed)) for one in mine]
                self.memory.remember(made, marks(mine))
            finally:
                for one in mine:
                    self.running[one] -= 1
            return [*claim.known.values(), *made]


@pytest.fixture
def asker() -> Asker:
    return Asker(Memory(1000))


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_one_id_at_the_same_time_is_computed_once(asker: Asker) -> None:
    gate = asyncio.Event()
    asked = [asyncio.create_task(asker.ask(["a"], gate)) for _ in range(20)]
    await turns()
    gate.set()
    answers = await asyncio.gather(*asked)
    assert asker.computed == ["a"]
    assert {one.outputs["p"] for [one] in answers} == {(1,)}
    assert sorted(one.replayed for [one] in answers) == [False] + [True] * 19


async def test_a_failure_lets_the_next_one_compute(asker: Asker) -> None:
    gate = asyncio.Event()
    first = asyncio.create_task(asker.ask(["a"], gate, fail=True))
    second = asyncio.create_task(asker.ask(["a"], gate))
    await turns()
    gate.set()
    with pytest.raises(RuntimeError):
        await first
    [answer] = await second
    assert (asker.computed, answer.replayed) == (["a"], False)


async def test_a_caller_who_leaves_lets_the_next_one_compute(asker: Asker) -> None:
    first = asyncio.create_task(asker.ask(["a"], asyncio.Event()))
    second = asyncio.create_task(asker.ask(["a"]))
    await turns()
    first.cancel()
    [answer] = await second
    assert (asker.computed, answer.replayed) == (["a"], False)


async def test_one_who_leaves_while_waiting_holds_nothing(asker: Asker) -> None:
    gate = asyncio.Event()
    first = asyncio.create_task(asker.ask(["a"], gate))
    second = asyncio.create_task(asker.ask(["a", "b"]))
    await turns()
    second.cancel()
    [answer] = await asker.ask(["b"])
    assert answer.prediction_id == "b"
    gate.set()
    await first


async def test_overlapping_requests_never_wait_in_a_circle(asker: Asker) -> None:
    dice = random.Random(7)  # noqa: S311
    ids = [f"id-{number}" for number in range(12)]
    asked = [asker.ask(dice.sample(ids, dice.randint(1, 6)), fail=dice.random() < 0.2) for _ in range(300)]
    async with asyncio.timeout(30):
        results = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(one, list | RuntimeError) for one in results)
    assert sorted(asker.computed) == sorted(set(asker.computed))
    assert set(asker.most_running.values()) == {1}
    values = {one.prediction_id: one.outputs for result in results if isinstance(result, list) for one in result}
    for result in results:
        if isinstance(result, list):
            assert all(values[one.prediction_id] == one.outputs for one in result)


async def test_other_input_under_an_id_is_refused_and_claims_nothing() -> None:
    memory = Memory(10)
    memory.remember([prediction("a")], [b"1"])
    with pytest.raises(PredictionIdReused, match="'a'"):
        async with memory.claim(["b", "a"], [b"1", b"2"]):
            pytest.fail("the claim was given")
    async with memory.claim(["b"], [b"1"]) as claim:
        assert claim.fresh == [0]


async def test_known_rows_are_told_from_fresh_ones() -> None:
    memory = Memory(10)
    memory.remember([prediction("b", 5.0)], [b"b"])
    async with memory.claim(["a", "b", "c"], marks(["a", "b", "c"])) as claim:
        assert claim.fresh == [0, 2]
        assert (claim.known[1].outputs, claim.known[1].replayed) == ({"p": (5.0,)}, True)


async def test_the_oldest_are_forgotten_first() -> None:
    memory = Memory(3)
    for one in "abcd":
        memory.remember([prediction(one)], [one.encode()])
    async with memory.claim(list("abcd"), marks(list("abcd"))) as claim:
        assert (claim.fresh, sorted(claim.known)) == ([0], [1, 2, 3])


async def test_a_restart_knows_what_the_log_kept() -> None:
    memory = Memory(2)
    assert memory.restore(Remembered(prediction(one), one.encode()) for one in "abc") == 2
    async with memory.claim(["a", "b", "c"], marks(["a", "b", "c"])) as claim:
        assert (claim.fresh, sorted(claim.known)) == ([0], [1, 2])
    with pytest.raises(PredictionIdReused):
        async with memory.claim(["c"], [b"other"]):
            pytest.fail("the claim was given")


async def test_nothing_is_remembered_by_a_limit_of_none() -> None:
    memory = Memory(0)
    memory.remember([prediction("a")], [b"a"])
    async with memory.claim(["a"], [b"a"]) as claim:
        assert claim.fresh == [0]
