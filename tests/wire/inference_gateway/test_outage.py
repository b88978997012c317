"""An event bus that is away: answers go on, what they say waits on disk, and all of it arrives later, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from slipway.events import Record
from slipway.events.connect import open_log
from slipway.supervisor.ports import free_port
from slipway.tcp_proxy import TcpProxy
from tests.prediction_log import batches

TOPIC = "inference.predictions.v1"


class Bus(Protocol):
    """A bus that is away until :meth:`come`."""

    url: str

    async def come(self) -> None: ...

    async def records(self) -> list[Record]:
        """The prediction log, as the bus has it now."""
        ...


class SqliteBus:
    """A file whose folder can't be had."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/away/log.db"
        self._place = folder / "away"
        self._place.write_text("no folder")

    async def come(self) -> None:
        self._place.unlink()

    async def records(self) -> list[Record]:
        async with open_log(self.url) as log:
            return list(await log.read(TOPIC, limit=100_000))


class KafkaBus:
    """Brokers behind a port at which nobody listens: clients never hear of their real address."""

    def __init__(self, url: str, opened: AsyncExitStack) -> None:
        scheme, _, place = url.partition("://")
        self._servers, _, options = place.partition("?")
        self._listen = f"127.0.0.1:{free_port()}"
        self._real, self._opened = url, opened
        self.url = f"{scheme}://{self._listen}?{options}&timeout_s=2"

    async def come(self) -> None:
        await self._opened.enter_async_context(TcpProxy.open(self._servers.split(",")[0], self._listen))

    async def records(self) -> list[Record]:
        async with open_log(self._real) as log:
            infos = [one for one in await log.topics() if one.name == TOPIC]
            return [one for info in infos for one in await log.read(TOPIC, 0, 100_000, info.partition)]


@pytest.fixture(params=["sqlite", "kafka"])
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    async with AsyncExitStack() as opened:
        if request.param == "kafka":
            yield KafkaBus(request.getfixturevalue("kafka_url"), opened)
        else:
            yield SqliteBus(tmp_path)


async def ids_once(bus: Bus, world: Any, eventually: Any) -> Counter[str]:
    """The ids on the log, once nothing waits in the spool any more; each event's but once, as its readers take it."""

    async def shipped() -> bool:
        return (await world.client.inference.prediction_log()).pending_batches == 0

    await eventually(shipped)
    once = {one.event.id: one.event for one in await bus.records()}
    found = batches(event.value for event in once.values())
    return Counter(row for batch in found for row in batch.prediction_ids)


async def test_away_at_the_start_it_gets_everything_later_once(world: Any, bus: Bus, eventually: Any) -> None:
    await world.standing("late")
    await world.stop_gateway()
    # Twice: what the first process left on disk is the second one's to ship.
    ids = [f"away-{number}" for number in range(30)]
    for some in (ids[:15], ids[15:]):
        await world.start_gateway(events_url=bus.url, rpc={"listen": "127.0.0.1:0", "grace_s": 0.1})
        for one in some:
            await world.client.inference.predict("late", [world.row], prediction_ids=[one])
        log = await world.client.inference.prediction_log()
        assert (log.pending_batches, log.dropped_predictions) == (len(some) + ids.index(some[0]), 0)
        assert log.pending_bytes > 0
        if some[-1] != ids[-1]:
            await world.stop_gateway()
    [again] = await world.client.inference.predict("late", [world.row], prediction_ids=[ids[0]])
    assert again.replayed
    await bus.come()
    assert await ids_once(bus, world, eventually) == Counter(ids)
    assert (await world.client.inference.prediction_log()).pending_bytes == 0


async def test_a_full_spool_stops_no_answer_and_what_is_lost_is_counted(world: Any, bus: Bus, eventually: Any) -> None:
    await world.standing("late")
    await world.stop_gateway()
    spool = {"limit_bytes": 64 * 1024, "segment_bytes": 64 * 1024}
    await world.start_gateway(events_url=bus.url, spool=spool)
    row = {**world.row, "carrier": "x" * 1000}
    ids = [f"full-{number}" for number in range(100)]
    for one in ids:
        assert len(await world.client.inference.predict("late", [row], prediction_ids=[one])) == 1
    log = await world.client.inference.prediction_log()
    assert log.pending_batches + log.dropped_predictions == len(ids)
    assert log.dropped_predictions > 0
    assert log.pending_bytes <= log.limit_bytes == 64 * 1024
    await bus.come()
    await ids_once(bus, world, eventually)
    await world.client.inference.predict("late", [row], prediction_ids=["room"])
    arrived = await ids_once(bus, world, eventually)
    assert set(arrived.values()) == {1}
    assert arrived.keys() >= {"room"}
    assert len(set(ids) - arrived.keys()) == log.dropped_predictions
    assert (await world.client.inference.prediction_log()).dropped_predictions == log.dropped_predictions
