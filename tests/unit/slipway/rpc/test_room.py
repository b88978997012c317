from __future__ import annotations

import pytest

from slipway.rpc.room import Overloaded, Room


def flood(room: Room, principal: str, size: int = 1) -> int:
    """How many calls are let in."""
    entered = 0
    while True:
        try:
            room.enter(principal, size)
        except Overloaded:
            return entered
        entered += 1


def test_one_who_floods_leaves_room_to_the_others() -> None:
    told: list[str] = []
    room = Room(64, 10_000, {"a": 1.0, "b": 1.0, "c": 1.0}, told.append)
    assert [flood(room, name) for name in "abc"] == [32, 16, 8]
    assert told == ["a", "b", "c"]
    with pytest.raises(Overloaded, match="'a' has its share of the 64 calls") as refused:
        room.enter("a", 1)
    assert refused.value.facts == {"limit": "64", "of": "calls", "principal": "a"}
    # What it has stays; it is let in again when it has no more than is free.
    for _ in range(30):
        room.leave("a", 1)
    room.enter("a", 1)


def test_shares_follow_weights_in_bytes_as_in_calls() -> None:
    room = Room(1000, 4000, {"a": 3.0, "b": 1.0})
    assert flood(room, "a", 100) == 24
    assert flood(room, "b", 100) == 5


def test_who_is_alone_may_have_all() -> None:
    room = Room(8, 1000)
    assert flood(room, "") == 8
    assert flood(Room(8, 1000, {"default": 1.0}), "default") == 8
