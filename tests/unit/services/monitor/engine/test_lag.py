from __future__ import annotations

from pathlib import Path
from typing import Any

from services.monitor.engine.lag import Lag
from slipway.clock import ManualClock
from slipway.events import Event
from slipway.events.connect import open_log


async def test_the_lag_is_what_the_log_holds_beyond_what_was_counted(tmp_path: Path, meters: Any) -> None:
    clock = ManualClock()
    async with open_log(f"sqlite:///{tmp_path / 'log.db'}") as log:
        lag = Lag(log, ["t.v1"], "g", clock=clock, meters=meters)
        assert await lag.measure() == 0
        events = [Event(f"e{n}", topic, "k", "t", "/s", clock.now(), b"") for n in range(5) for topic in ("t.v1", "u")]
        await log.publisher().publish(events)
        assert await lag.measure() == 5
        async with log.consumer(["t.v1", "u"], "g") as consumer:
            records = await log.read("t.v1")
            await consumer.commit(records[:2])
            assert await lag.measure() == 3
            await consumer.commit([*records[2:], *await log.read("u")])
        assert await lag.measure() == 0
    assert meters.lags == [0, 5, 3, 0]
