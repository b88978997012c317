from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.monitor.adapters.dead_letters import LogDeadLetters
from services.monitor.domain.dead_letter import PAGE_BYTES, DeadLetter
from services.monitor.engine.inspection import Inspection
from slipway.clock import ManualClock
from slipway.errors import InvalidInput
from slipway.events import Event, EventLog
from slipway.events.connect import open_log

CLOCK = ManualClock()
TOPIC = "t.monitor.dlq"
MIB = 1024 * 1024


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[EventLog]:
    async with open_log(f"sqlite:///{tmp_path / 'log.db'}") as log:
        yield log


@pytest.fixture
def inspection(log: EventLog) -> Inspection:
    return Inspection(LogDeadLetters(log, TOPIC))


def letter(name: object, value: bytes = b"") -> Event:
    return Event(str(name), TOPIC, "k", "t", "/s", CLOCK.now(), value)


async def pages(inspection: Inspection, size: int, *, with_value: bool = False) -> list[list[DeadLetter]]:
    found, token = [], ""
    while True:
        page = await inspection.page(size, token, with_value=with_value)
        found.append(list(page.rows))
        token = page.next_token
        if not token:
            return found


async def test_nothing_was_ever_set_aside(inspection: Inspection) -> None:
    assert await pages(inspection, 0) == [[]]


@pytest.mark.parametrize(("size", "sizes"), [(0, [40]), (40, [40]), (39, [39, 1]), (17, [17, 17, 6])])
async def test_each_letter_is_on_one_page_in_order(
    log: EventLog, inspection: Inspection, size: int, sizes: list[int]
) -> None:
    await log.publisher().publish([letter(n) for n in range(40)])
    found = await pages(inspection, size)
    assert [len(page) for page in found] == sizes
    assert [one.event_id for page in found for one in page] == [str(n) for n in range(40)]


async def test_large_values_end_a_page_before_its_size_and_none_is_missed(
    log: EventLog, inspection: Inspection
) -> None:
    large = b"x" * (MIB - 100)
    for n in range(40):
        await log.publisher().publish([letter(n, large)])
    found = await pages(inspection, 500, with_value=True)
    assert [one.event_id for page in found for one in page] == [str(n) for n in range(40)]
    assert all(sum(one.carried_bytes for one in page) <= PAGE_BYTES for page in found)
    (alone,) = await pages(inspection, 500)
    assert {(one.size_bytes, one.value) for one in alone} == {(len(large), None)}


@pytest.mark.parametrize("key", ["[-1]", f"[{2**63 - 1}]", f"[{2**63}]", "[true]", '["0"]', "[0, 0]", "0"])
async def test_a_token_that_was_never_given_out_is_refused(inspection: Inspection, key: str) -> None:
    with pytest.raises(InvalidInput, match="page_token: is not a token of this call"):
        await inspection.page(0, base64.urlsafe_b64encode(key.encode()).decode(), with_value=False)
