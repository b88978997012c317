"""Imported by Python itself at its start, where this folder is on PYTHONPATH: makes the clock port tell another time.

Its wall time is off by what the file of ``SLIPWAY_FAULTS_CLOCK`` says, in seconds. Only the port's: gRPC reckons what
is left of a deadline with Python's clock and the kernel's together, and where one of the two is faked alone, by a
patch or by libfaketime, each call is late or waits for an hour, as on no machine whose clock jumps.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from slipway.clock import SystemClock

_file = Path(os.environ["SLIPWAY_FAULTS_CLOCK"])


def _off_s() -> float:
    try:
        return float(_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0.0


def _now(_: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=_off_s())


SystemClock.now = _now  # type: ignore[assignment,method-assign]
