"""``kill -9`` at a line: before or after a commit, a publish, a rename or an offset's commit."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from scripts.chaos.fault import Injection
from scripts.chaos.faults.plain import Plain
from scripts.chaos.load import Needs, Scene
from slipway.failpoints import NAMES, Name, arm, armed, disarm
from slipway.supervisor.spec import UnitSpec

VARIABLE = "SLIPWAY_FAILPOINTS_FILE"
_REACHED_WITHIN_S = 2.5
_TRIES = 10
_AT_ONCE = 8


class KillAtFailpoint(Plain):
    """Arms a few failpoints of a victim's, by chance, each to kill at its N-th time; others when none is reached."""

    name = "kill-at-failpoint"

    def __init__(self, points: Sequence[Name] = NAMES) -> None:
        """``points``: those that it chooses among."""
        self._points = points
        self._folder = Path()
        self._unreached: set[tuple[str, str]] = set()
        self._struck: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def around(self, folder: Path) -> AsyncIterator[None]:
        """See Fault."""
        self._folder = folder
        yield

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        """See Fault: each unit watches a file of its own."""
        return replace(unit, env={**unit.env, VARIABLE: str(self._file(unit.name))})

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        began_s = time.monotonic()
        for _ in range(_TRIES):
            victim = dice.choice(needs.victims)
            pid = await scene.platform.pid_of_serving(victim)
            chosen = self._choose(victim, dice)
            arm(self._file(victim), "; ".join(f"{one}=kill@{dice.randint(1, 9)}" for one in chosen))
            died = await scene.platform.died(victim, pid, _REACHED_WITHIN_S)
            struck_s = time.monotonic()
            left = {one.name for one in armed(self._file(victim))}
            disarm(self._file(victim))
            if died:
                point = next((one for one in chosen if one not in left), "none")
                self._struck[victim, point] += 1
                return Injection(struck_s, f"kill {victim} at {point}")
            self._unreached |= {(victim, one) for one in chosen}
        return Injection(began_s, "no failpoint was reached", struck=False)

    def _choose(self, victim: str, dice: random.Random) -> Sequence[str]:
        """A few names: those that have struck least come first, those that nothing reached no more."""
        names = [one for one in self._points if (victim, one) not in self._unreached]
        dice.shuffle(names)
        return sorted(names or self._points, key=lambda one: self._struck[victim, one])[:_AT_ONCE]

    def _file(self, unit: str) -> Path:
        return self._folder / f"failpoints-{unit}"
