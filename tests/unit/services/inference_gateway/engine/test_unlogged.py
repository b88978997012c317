"""What could not be logged is counted row by row, and said seldom."""

from __future__ import annotations

import logging

import pytest

from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.unlogged import Unlogged
from slipway.clock import ManualClock


def test_rows_are_counted_and_said_seldom(caplog: pytest.LogCaptureFixture) -> None:
    meter, clock = Meter(), ManualClock()
    unlogged = Unlogged(meter, clock)
    caplog.set_level(logging.WARNING)
    unlogged.kept()
    for _ in range(100):
        unlogged.missed(3, "the spool is full")
        unlogged.kept()  # a small answer still fits now and then
        clock.advance(0.5)
    assert meter.dropped_rows == 300
    assert [one.rows for one in caplog.records] == [3, 183]  # type: ignore[attr-defined]
    clock.advance(5.0)
    unlogged.kept()
    unlogged.kept()
    assert caplog.records[-1].rows_not_logged == 300  # type: ignore[attr-defined]
    unlogged.missed(1, "the spool is full")
    assert [one.levelname for one in caplog.records] == ["ERROR", "ERROR", "WARNING", "ERROR"]
