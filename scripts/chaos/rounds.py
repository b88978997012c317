"""One cell: a platform, a load, and injections into it until there were enough."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.chaos import gauge
from scripts.chaos.fault import Fault
from scripts.chaos.findings import Finding, wrong
from scripts.chaos.history import History
from scripts.chaos.journal import Journal, Round
from scripts.chaos.load import Crowd, Load, Scene
from scripts.chaos.platform import Platform
from slipway.events.connect import open_log

Say = Callable[[str], None]
_WARM_S = 1.0
_MOMENT_S = (0.2, 1.2)
_RECOVERS_WITHIN_S = 60.0
_TICK_S = 0.05


@dataclass(frozen=True, slots=True)
class Until:
    """When a cell has enough: after so many rounds, or after so many seconds, whichever is given and comes first."""

    rounds: int | None
    seconds: float | None

    def enough(self, rounds: int, elapsed_s: float) -> bool:
        """Whether no further round is wanted; there is always one."""
        if rounds == 0:
            return False
        over = self.seconds is not None and elapsed_s >= self.seconds
        return over or (self.rounds is not None and rounds >= self.rounds)


@dataclass(frozen=True, slots=True)
class Done:
    """A cell's rounds, what the check found, and the history that it was found in."""

    rounds: list[Round]
    findings: list[Finding]
    history: History


@dataclass(frozen=True)
class Cell:
    """One service's load and one fault."""

    load: Load
    fault: Fault
    seed: int
    until: Until
    journal: Journal
    say: Say

    async def run(self) -> Done:
        """Go on where the journal says that the cell was left, to its end.

        Raises what starting the platform raises, and what breaks a client of the load.
        """
        service, name, needs = self.load.service, self.fault.name, self.load.needs
        folder = self.journal.cell(service, name)
        folder.mkdir(parents=True, exist_ok=True)
        with History.open(folder / "history.jsonl") as history:
            async with (
                self.fault.around(folder),
                Platform.open(
                    folder / "data",
                    services=needs.services,
                    backing=needs.backing,
                    configs=needs.configs,
                    adapt=self.fault.adapt,
                ) as platform,
                platform.client() as slipway,
                open_log(platform.events) as log,
            ):
                scene = Scene(platform, slipway, log.publisher(), history)
                await self.load.prepare(scene)
                rounds, findings = await self._disturb(scene)
                await platform.all_serve()
                observed: Any = await self.load.observe(scene)
            findings += self.load.check(history.operations, history.marks, observed)
            return Done(rounds, findings, history)

    async def _disturb(self, scene: Scene) -> tuple[list[Round], list[Finding]]:
        service, name = self.load.service, self.fault.name
        rounds, began_s = self.journal.rounds(service, name), time.monotonic()
        async with Crowd.calling(self.load.clients(scene)) as crowd:
            await asyncio.sleep(_WARM_S)
            while not self.until.enough(len(rounds), time.monotonic() - began_s):
                done = await self._round(scene, crowd, len(rounds))
                self.journal.add_round(service, name, done)
                rounds.append(done)
                self.say(f"{service} / {name}: {_told(done)}")
                if done.recovery_s is None and done.void is None:
                    return rounds, [wrong(f"round {done.number}: no answer within {_RECOVERS_WITHIN_S:.0f} s")]
        return rounds, []

    async def _round(self, scene: Scene, crowd: Crowd, number: int) -> Round:
        # A round of a resumed run has the dice that it would have had.
        dice = random.Random(f"{self.seed}/{self.load.service}/{self.fault.name}/{number}")  # noqa: S311
        since_s = time.monotonic()
        await asyncio.sleep(_WARM_S + dice.uniform(*_MOMENT_S))
        crowd.raise_failure()
        load_per_s = gauge.rate(scene.history.operations, self.load.needs.aside, since_s, time.monotonic())
        injection = await self.fault.inject(scene, self.load.needs, dice)
        scene.history.mark(self.fault.name, injection.began_s, note=injection.note, **injection.facts)
        again_s = await self._answered_again(scene, crowd, injection.began_s)
        recovery_s = None if again_s is None else again_s - injection.began_s
        void = None if injection.struck else "did not strike"
        if load_per_s < gauge.ENOUGH_PER_S:
            void = f"load of {load_per_s:.0f}/s before it, under {gauge.ENOUGH_PER_S:.0f}/s"
        return Round(number, load_per_s, injection.note, recovery_s, void, injection.facts)

    async def _answered_again(self, scene: Scene, crowd: Crowd, after_s: float) -> float | None:
        until_s = time.monotonic() + _RECOVERS_WITHIN_S
        while time.monotonic() < until_s:
            again_s = gauge.answered_again(scene.history.operations, self.load.needs.aside, after_s)
            if again_s is not None:
                return again_s
            crowd.raise_failure()
            await asyncio.sleep(_TICK_S)
        return None


def _told(done: Round) -> str:
    recovery = "no answer again" if done.recovery_s is None else f"answered again after {done.recovery_s:.2f} s"
    void = f"; void: {done.void}" if done.void else ""
    return f"round {done.number + 1}, {done.load_per_s:.0f} operations/s, {done.note}: {recovery}{void}"
