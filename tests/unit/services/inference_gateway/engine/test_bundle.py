"""A bundle that is divided, taken apart, or both: each request is told of once, and of its own answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.inference_gateway.domain.batch import Batch, Origin, Protocol, all_at
from services.inference_gateway.domain.block import Block
from services.inference_gateway.domain.columns import Column, ValueKind
from services.inference_gateway.engine.ask import Ask, Part, each
from services.inference_gateway.engine.bundle import Bundle, Outcome


class Refused(Exception):
    """What a request fails by, or several."""


class Told:
    """What became of whom."""

    def __init__(self) -> None:
        self.outcomes: dict[int, Any] = {}
        self.times: Counter[int] = Counter()

    def tell(self, numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        for number, outcome in zip(numbers, outcomes, strict=True):
            self.outcomes[number] = outcome
            self.times[number] += 1


def bundle(requests: int, rows: int, told: Told, columns: int) -> Bundle:
    """Row ``r`` of request ``n`` has the number ``100 * n + r`` in its every column and its key, and in its id."""
    numbers = np.array([100 * n + r for n in range(requests) for r in range(rows)], dtype=np.float64)
    batch = Batch(
        endpoint="late",
        rows=requests * rows,
        ids=(),
        event_times_us=all_at(7, requests * rows),
        timed=False,
        entity_keys=(Column("key", ValueKind.DOUBLE, numbers),),
        features=Block([f"c{n}" for n in range(columns)], ValueKind.DOUBLE, np.tile(numbers, (columns, 1))),
        protocol=Protocol.PREDICT,
        origins=tuple([Origin(rows, "", f"{n:032x}", 1.0) for n in range(requests)]),
    )
    return Bundle(batch, tuple(f"{one:.0f}" for one in numbers), 1.0, told.tell, whole=False)


def has_its_own(ask: Ask, numbers: Sequence[int], rows: int) -> None:
    own = [100 * n + r for n in numbers for r in range(rows)]
    assert ask.rows == ask.batch.rows == len(own)
    assert ask.ids == tuple(map(str, own))
    assert [column.values.tolist() for column in (*ask.batch.entity_keys, *ask.batch.features)] == [own] * 3
    assert [(one.rows, one.trace_id) for one in ask.batch.origins] == [(rows, f"{n:032x}") for n in numbers]
    assert ask.batch.places is None


def answer(ask: Ask) -> None:
    """By what it has: the answer of its row is the row's id."""
    ask.parts.append(Part(ask.ids, 0, ask.rows))  # type: ignore[arg-type]
    ask.complete()


def answered(outcome: Any) -> list[str]:
    [(ids, start, end, *_)] = outcome
    return list(ids[start:end])


async def befall(piece: Ask, numbers: Sequence[int], fates: Sequence[bool], *, as_one: bool) -> set[int]:
    """Have a piece answered, or its members where their ``fates`` say so; the numbers of those that fail.

    What fails ``as_one`` does so after those of its members that are answered.
    """
    if all(fates) and as_one:
        answer(piece)
        return set()
    failed = {number for number, fate in zip(numbers, fates, strict=True) if not fate}
    if any(fates) or not as_one:
        for one, fate in zip(piece.apart(), fates, strict=True):
            if fate:
                answer(one)
            elif not as_one:
                one.fail(Refused())
        await asyncio.sleep(0)
    if as_one:
        piece.fail(Refused())
    return failed


@given(st.data(), st.integers(2, 7), st.integers(1, 3), st.booleans())
def test_each_request_is_told_of_once_and_of_its_own_answer(
    data: st.DataObject, requests: int, rows: int, all_apart: bool
) -> None:
    arms = [0, 1, *data.draw(st.lists(st.integers(0, 2), min_size=requests - 2, max_size=requests - 2))]
    groups = [[n for n in range(requests) if arms[n] == arm] for arm in sorted(set(arms))]
    fates = data.draw(st.lists(st.booleans(), min_size=requests, max_size=requests))
    order = data.draw(st.permutations(range(len(groups))))
    as_one = data.draw(st.lists(st.booleans(), min_size=len(groups), max_size=len(groups)))

    async def run() -> tuple[Told, set[int]]:
        told, failed = Told(), set()
        whole = bundle(requests, rows, told, 2)
        pieces = whole.divided(groups)
        for piece, numbers in zip(pieces, groups, strict=True):
            has_its_own(piece, numbers, rows)
        for number, one in enumerate(each([whole] if all_apart else [])):
            has_its_own(one, [number], rows)
        for place in order:
            own = [fates[number] for number in groups[place]]
            failed |= await befall(pieces[place], groups[place], own, as_one=as_one[place])
            await asyncio.sleep(0)
        await asyncio.wait_for(whole.answered, 30)
        return told, failed

    told, failed = asyncio.run(run())
    assert told.times == Counter(range(requests))
    for number, outcome in told.outcomes.items():
        if number in failed:
            assert isinstance(outcome, Refused)
        else:
            assert answered(outcome) == [str(100 * number + row) for row in range(rows)]


async def test_nobody_works_on_a_piece_that_nobody_waits_for_any_more() -> None:
    told = Told()
    whole = bundle(4, 1, told, 2)
    first, last = whole.divided([[0, 2], [1, 3]])
    answer(first)
    members = last.apart()
    whole.answered.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not any(one.waits for one in [last, *members])
    answer(last)
    assert sorted(told.outcomes) == [0, 2]


async def test_an_answer_that_can_not_be_told_is_told_as_what_befell_it() -> None:
    told, broken = Told(), [True]

    def tell(numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
        if broken:
            broken.clear()
            raise Refused
        told.tell(numbers, outcomes)

    whole = bundle(3, 2, told, 2)
    whole = Bundle(whole.batch, whole.ids, 1.0, tell, whole=False)
    first, last = whole.divided([[0, 1], [2]])
    answer(first)
    answer(last)
    await whole.answered
    assert [isinstance(told.outcomes[n], Refused) for n in range(3)] == [True, True, False]
