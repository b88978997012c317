"""A wall clock that jumps, as the services' Python sees it (``skewed/``). Monotonic clocks go on as they do."""

from __future__ import annotations

import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from scripts.chaos.fault import Injection
from scripts.chaos.faults.plain import Plain
from scripts.chaos.load import Needs, Scene
from slipway.supervisor.spec import UnitSpec

_HOUR_S = 3600
_SKEWED = Path(__file__).with_name("skewed")
_JUMPS_S = (_HOUR_S, -_HOUR_S, 0)
_SERVICES = frozenset({"registry", "feature_serving", "training_scheduler", "inference_gateway", "monitor"})


class ClockJump(Plain):
    """The wall clock of every service jumps by an hour, forth or back, and stays there until the next round."""

    name = "clock-jump"

    def __init__(self) -> None:
        self._file = Path()
        self._now_s = 0

    @asynccontextmanager
    async def around(self, folder: Path) -> AsyncIterator[None]:
        """See Fault."""
        self._file = folder / "clock"
        self._jump(0)
        yield

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        """See Fault."""
        if unit.name not in _SERVICES:
            return unit
        paths = [str(_SKEWED), *filter(None, [unit.env.get("PYTHONPATH")])]
        skewed = {"PYTHONPATH": os.pathsep.join(paths), "SLIPWAY_FAULTS_CLOCK": str(self._file)}
        return replace(unit, env={**unit.env, **skewed})

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        to_s = dice.choice([one for one in _JUMPS_S if one != self._now_s])
        began_s = time.monotonic()
        note = f"wall clock {(to_s - self._now_s) // _HOUR_S:+d} h"
        self._jump(to_s)
        return Injection(began_s, note)

    def _jump(self, to_s: int) -> None:
        staged = self._file.with_suffix(".staged")
        staged.write_text(f"{to_s:+d}\n", encoding="utf-8")
        staged.replace(self._file)
        self._now_s = to_s
