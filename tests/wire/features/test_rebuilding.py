"""An online store that lost its values has them again, and until then says that they are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from slipway.client import FeatureStatus
from slipway.events import Event
from tests.wire.features import test_windows as windows
from tests.wire.features.conftest import Served
from tests.wire.features.test_ingestion import MINUTE, NOON, publish, reached, rows, seats

Lose = Callable[[Any], None]
TWO = [{"name": "tailnum", "strings": {"values": ["N2"]}}]


def flush(redis: Any) -> None:
    redis.send("FLUSHALL")


def restart(redis: Any) -> None:
    redis.stop()
    redis.start()


async def told(online: Served) -> list[tuple[Any, ...]]:
    """Values of both origins with their event times, as of an hour after the last boundary."""
    origins = [{"origin": "JFK"}, {"origin": "LGA"}]
    found = await online.client.features.get_online(windows.NAMES, origins, event_times=windows.at(2.5))
    return [(one.statuses, one.values, one.event_times) for one in found.columns.values()]


@pytest.mark.parametrize("lose", [flush, restart])
async def test_values_of_windows_and_published_rows_come_back(online: Served, redis: Any, lose: Lose) -> None:
    await online.client.features.apply([windows.DELAYS])
    happened: Sequence[Event] = [
        windows.event(1, [("JFK", 0.5, 2.0), ("LGA", 0.2, None)]),
        windows.event(2, [("JFK", 1.5, 4.0)], complete_until=2),
    ]
    await online.log.publisher().publish(happened)
    await windows.settled(online, 2)
    await publish(online, a=rows(1, 2), corrected=rows(5, at=NOON), junk=b"\xff", late=rows(9, 9, at=NOON - MINUTE))
    await publish(online, b=rows(7, at=NOON + MINUTE, entities=TWO))
    await reached(online, NOON + MINUTE)
    before, plain = await told(online), await seats(online, 3)
    assert plain == (5, 2, 7)
    lose(redis)

    async def back() -> bool:
        return await told(online) == before and await seats(online, 3) == plain

    await online.eventually(back)
    # Nothing counts twice for having been written twice.
    await online.log.publisher().publish([windows.event(3, [("JFK", 2.5, 1.0)], complete_until=3)])
    await windows.settled(online, 3)
    assert (await windows.values(online, 3))["sum_2h"] == 5.0


async def test_what_was_pushed_by_call_comes_back_the_newest_of_each_entity(online: Served, redis: Any) -> None:
    push = online.client.features.push
    await push("planes", [{"tailnum": "N0"}, {"tailnum": "N1"}], [{"seats": 1}, {"seats": 1}], NOON)
    await push("planes", [{"tailnum": "N0"}], [{"seats": 2}], NOON)
    await push("planes", [{"tailnum": "N1"}], [{"seats": 9}], NOON - MINUTE)
    # Too long for a database's index.
    await push("planes", [{"tailnum": "N" * 5_000}], [{"seats": 3}], NOON)
    await publish(online, a=rows(4, 4, 4, at=NOON - MINUTE))
    await reached(online, NOON)
    flush(redis)

    async def back() -> bool:
        found = await online.client.features.get_online(
            ["planes:seats"], [{"tailnum": one} for one in ("N0", "N1", "N2", "N" * 5_000)], event_times=NOON
        )
        return found["planes:seats"].values == (2, 1, 4, 3)

    await online.eventually(back)
    found = await online.client.features.get_online(["planes:seats"], [{"tailnum": "N8"}], event_times=NOON)
    assert found["planes:seats"].statuses == (FeatureStatus.NOT_FOUND,)
