from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.inference_gateway.domain.errors import QueueFull
from services.inference_gateway.domain.fair_queue import Bounds, FairQueue
from services.inference_gateway.domain.tenant_lane import DEFAULT_PRIORITY

WIDE = Bounds(10**6, 10**9, 10**12)


@dataclass(frozen=True)
class Item:
    tenant: str = "a"
    rows: int = 1
    priority: int = 0
    bytes: int = 100
    number: int = 0
    deadline: float | None = None
    entries: int = 1


tenants = st.sampled_from("abc")
items = st.builds(
    Item,
    tenants,
    st.integers(1, 50),
    st.sampled_from([0, 1, 2, DEFAULT_PRIORITY]),
    st.integers(0, 500),
    entries=st.integers(1, 5),
)
takes = st.tuples(st.just("take"), st.integers(1, 120), st.none() | tenants)
drops = st.tuples(st.just("drop"), st.just(0), tenants)


@settings(deadline=None)
@given(st.lists(items | takes | drops, max_size=60), st.sampled_from([Bounds(12, 300, 3000), WIDE]))
def test_nothing_is_lost_or_given_twice_and_a_tenants_order_is_kept(
    script: list[Item | tuple[str, int, str]], bounds: Bounds
) -> None:
    queue: FairQueue[Item] = FairQueue("m:1", bounds, {"a": 1.0, "b": 2.0, "c": 0.5})
    held: list[Item] = []
    number = count()
    for step in script:
        if isinstance(step, Item):
            item = replace(step, number=next(number))
            try:
                queue.push(item)
                held.append(item)
            except QueueFull:
                assert held or item.entries > 1
        elif step[0] == "drop":
            doomed = [item for item in held if item.tenant == step[2]]
            assert Counter(queue.drop(doomed.__contains__)) == Counter(doomed)
            held = [item for item in held if item not in doomed]
        else:
            held = _take(queue, held, step[1], step[2])
        assert len(queue) == sum(item.entries for item in held)
        assert queue.rows == sum(item.rows for item in held)
        assert queue.bytes == sum(item.bytes for item in held)
        assert len(held) == 1 or (
            len(queue) <= bounds.items and queue.rows <= bounds.rows and queue.bytes <= bounds.bytes
        )


def _take(queue: FairQueue[Item], held: list[Item], rows: int, left: str | None) -> list[Item]:
    """Take and check what comes; ``left`` is a tenant whose callers have gone. What is held then."""
    skipped: list[Item] = []

    def gone(item: Item) -> bool:
        if item.tenant == left:
            skipped.append(item)
        return item.tenant == left

    taken = queue.take(rows, gone)
    assert bool(taken) == any(item.tenant != left for item in held)
    assert len(taken) <= 1 or sum(item.rows for item in taken) <= rows
    for tenant in "abc":
        out = [item for item in taken + skipped if item.tenant == tenant]
        waiting = [item for item in held if item.tenant == tenant]
        waiting.sort(key=lambda item: (item.priority or DEFAULT_PRIORITY, item.number))
        assert out == waiting[: len(out)]
    return [item for item in held if item not in taken + skipped]


@settings(deadline=None)
@given(
    st.dictionaries(tenants, st.sampled_from([0.5, 1.0, 2.0, 5.0]), min_size=2),
    st.lists(st.integers(1, 40), min_size=1, max_size=10),
    st.integers(1, 100),
)
def test_shares_of_rows_converge_to_the_weights(weights: dict[str, float], sizes: list[int], max_rows: int) -> None:
    queue: FairQueue[Item] = FairQueue("m:1", WIDE, weights)
    given_rows = dict.fromkeys(weights, 0)
    for place in range(80):
        for tenant in weights:
            queue.push(Item(tenant, sizes[place % len(sizes)]))
    while all(queue.waiting(tenant) for tenant in weights):
        # While all wait, nobody is ahead of another by more than an item of each.
        normal = [given_rows[tenant] / weight for tenant, weight in weights.items()]
        assert max(normal) - min(normal) <= 2 * max(sizes) / min(weights.values())
        for item in queue.take(max_rows):
            given_rows[item.tenant] += item.rows


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("bcd"), st.integers(1, 40)), max_size=50),
    st.integers(0, 30),
    st.integers(1, 100),
    st.sampled_from([0.1, 1.0, 9.0]),
)
def test_a_newcomer_waits_behind_one_item_of_each_other_at_most(
    flood: list[tuple[str, int]], served: int, max_rows: int, weight: float
) -> None:
    queue: FairQueue[Item] = FairQueue("m:1", WIDE, {"a": 1.0, "b": weight, "c": 1.0, "d": 3.0})
    for tenant, rows in flood:
        queue.push(Item(tenant, rows))
    for _ in range(served):
        queue.take(1)
    queue.push(Item("a", 7))
    order: list[str] = []
    while queue:
        order += [item.tenant for item in queue.take(max_rows)]
    before = Counter(order[: order.index("a")])
    assert all(times <= 1 for times in before.values()), order


def test_one_who_floods_is_refused_and_the_others_are_not() -> None:
    queue: FairQueue[Item] = FairQueue("late:3", Bounds(64, 640, 64_000), dict.fromkeys("abc", 1.0))
    for _ in range(16):
        queue.push(Item("a", 20))
    with pytest.raises(QueueFull, match="tenant 'a' has its share of the 640 rows that may wait for late:3") as refused:
        queue.push(Item("a", 20))
    assert refused.value.facts == {"version": "late:3", "limit": "640", "of": "rows", "tenant": "a"}
    assert refused.value.retry_after_s
    for tenant in "bc":
        queue.push(Item(tenant, 20))
    with pytest.raises(QueueFull):
        queue.push(Item("a"))
    assert [queue.waiting(tenant) for tenant in "abc"] == [16, 1, 1]


def test_a_tenant_that_is_alone_may_fill_the_queue() -> None:
    queue: FairQueue[Item] = FairQueue("late:3", Bounds(5, 100, 1000))
    for _ in range(5):
        queue.push(Item())
    with pytest.raises(QueueFull, match="5 items wait for late:3"):
        queue.push(Item())
    assert len(queue.take(100)) == 5
    queue.push(Item(rows=101, bytes=1001))  # over the bounds, but nothing else waits
    assert [item.rows for item in queue.take(10)] == [101]


@settings(deadline=None)
@given(st.lists(st.tuples(items, st.booleans()), max_size=30), st.lists(items, max_size=12))
def test_what_passes_an_empty_queue_by_is_charged_as_if_it_had_waited(
    before: list[tuple[Item, bool]], after: list[Item]
) -> None:
    weights = {"a": 1.0, "b": 2.0, "c": 0.5}
    passed: FairQueue[Item] = FairQueue("m:1", WIDE, weights)
    waited: FairQueue[Item] = FairQueue("m:1", WIDE, weights)
    for item, by in before:
        waited.push(item)
        assert waited.take(1) == [item]
        if by:
            assert passed.pass_by(item)
        else:
            passed.push(item)
            assert passed.take(1) == [item]
    for item in after:
        waited.push(item)
        passed.push(item)
    assert passed.take(10**6) == waited.take(10**6)


def test_nothing_passes_by_what_waits() -> None:
    queue: FairQueue[Item] = FairQueue("m:1", WIDE)
    queue.push(Item(number=1))
    assert not queue.pass_by(Item(number=2))
    assert [item.number for item in queue.take(10)] == [1]
    assert queue.pass_by(Item(number=2))
    assert (len(queue), queue.rows, queue.bytes) == (0, 0, 0)


def test_several_that_come_as_one_have_no_larger_share_than_one_after_the_other() -> None:
    def let_in(*items: Item) -> int:
        queue: FairQueue[Item] = FairQueue("m:1", Bounds(64, 10**6, 10**9), {"a": 1.0, "b": 1.0})
        for one in items:
            try:
                queue.push(one)
            except QueueFull:
                break
        return queue.waiting("a")

    alone = let_in(*[Item("a")] * 64)
    assert let_in(Item("a", rows=alone, entries=alone)) == alone
    assert let_in(Item("a", rows=alone + 1, entries=alone + 1)) == 0
    rest = alone - 5
    assert let_in(*[Item("a")] * 5, Item("a", rows=rest, entries=rest)) == alone
    assert let_in(*[Item("a")] * 5, Item("a", rows=rest + 1, entries=rest + 1)) == 5
