"""One cell: a platform, a load, and injections into it until there were enough."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.chaos import gauge
from scripts.chaos.fault import Fault
from scripts.chaos.findings import Finding, wrong
from scripts.chaos.history import History
from scripts.chaos.journal import Journal, Round
from scripts.chaos.load import Crowd, Load, Scene
from scripts.chaos.models import dead_letters
from scripts.chaos.platform import Platform
from scripts.chaos.topics import arrived
from slipway.events import dead_letter_topic
from slipway.events.connect import open_log
from slipway.supervisor import lock
from slipway.supervisor.fleet import Profile

Say = Callable[[str], None]
_WARM_S = 1.0
# Three brokers that have just begun, and the backlog of the last fault, leave little of a small machine.
_WARMS_WITHIN_S = 20.0
_MOMENT_S = (0.2, 1.2)
_RECOVERS_WITHIN_S = 60.0
# What a fault does may be felt a moment after it has ended.
_FELT_S = 0.5
_TICK_S = 0.05


@dataclass(frozen=True, slots=True)
class Until:
    """When a cell has enough: after so many valid rounds, or after so many seconds, whichever comes first.

    ``rounds`` that are void are tried again, but no more than as many again.
    """

    rounds: int | None
    seconds: float | None

    def enough(self, done: Sequence[Round], elapsed_s: float) -> bool:
        """Whether no further round is wanted; there is always one."""
        if not done:
            return False
        if self.seconds is not None and elapsed_s >= self.seconds:
            return True
        valid = sum(one.void is None for one in done)
        return self.rounds is not None and (valid >= self.rounds or len(done) >= 2 * self.rounds)


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
    profile: Profile = "embedded"

    async def run(self) -> Done:
        """Go on where the journal says that the cell was left, to its end.

        Raises what starting the platform raises, and what breaks a client of the load.
        """
        needs, folder = self.load.needs, self.journal.cell(self.load.service, self.fault.name)
        folder.mkdir(parents=True, exist_ok=True)
        async with self.fault.around(folder):
            self._forget_without_data(folder)
            with History.open(folder / "history.jsonl") as history:
                async with (
                    Platform.open(
                        folder / "data",
                        services=needs.services,
                        backing=needs.backing,
                        configs=needs.configs,
                        adapt=self.fault.adapt,
                        profile=self.profile,
                        brokers=self.fault.brokers,
                    ) as platform,
                    platform.client() as slipway,
                    open_log(platform.events) as log,
                ):
                    return await self._play(Scene(platform, slipway, log.publisher(), history, self.until.seconds))

    def _forget_without_data(self, folder: Path) -> None:
        """A cell whose data went with what held it (a file system in memory) begins anew, when it is resumed."""
        history = folder / "history.jsonl"
        if history.exists() and not lock.lock_path(folder / "data").exists():
            history.unlink()
            self.journal.begin_anew(self.load.service, self.fault.name)

    async def _play(self, scene: Scene) -> Done:
        await self.load.prepare(scene)
        rounds, findings = await self._disturb(scene)
        await scene.platform.all_serve()
        observed: Any = await self.load.observe(scene)
        dead = await self._dead_letters(scene)
        history = scene.history
        findings += self.load.check(history.operations, history.marks, observed)
        findings += dead_letters.check(history.marks, dead)
        return Done(rounds, findings, history)

    async def _dead_letters(self, scene: Scene) -> Counter[str]:
        topics = [dead_letter_topic(topic, group) for topic, group in self.load.needs.topics.items()]
        expected = len(dead_letters.poisoned(scene.history.marks)) // max(1, len(topics))
        found = [one for topic in topics for one in await arrived(scene.platform.events, topic, expected)]
        return Counter(one.event.id for one in found)

    async def _disturb(self, scene: Scene) -> tuple[list[Round], list[Finding]]:
        service, name = self.load.service, self.fault.name
        rounds, began_s = self.journal.rounds(service, name), time.monotonic()
        async with Crowd.calling(self.load.clients(scene)) as crowd:
            await asyncio.sleep(_WARM_S)
            while not self.until.enough(rounds, time.monotonic() - began_s):
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
        load_per_s = await self._load_per_s(scene, crowd, _WARM_S + dice.uniform(*_MOMENT_S))
        injection = await self.fault.inject(scene, self.load.needs, dice)
        scene.history.mark(injection.kind or self.fault.name, injection.began_s, note=injection.note, **injection.facts)
        again_s = await self._answered_again(scene, crowd, injection.began_s)
        recovery_s = None if again_s is None else again_s - injection.began_s
        void = None if injection.struck else "did not strike"
        if load_per_s < gauge.ENOUGH_PER_S:
            void = f"load of {load_per_s:.0f}/s before it, under {gauge.ENOUGH_PER_S:.0f}/s"
        return Round(number, load_per_s, injection.note, recovery_s, void, injection.facts)

    async def _load_per_s(self, scene: Scene, crowd: Crowd, moment_s: float) -> float:
        """The load of the last ``moment_s``, once it is enough; as it is where it does not become so."""
        until_s = time.monotonic() + _WARMS_WITHIN_S
        while True:
            since_s = time.monotonic()
            await asyncio.sleep(moment_s)
            crowd.raise_failure()
            now_s = time.monotonic()
            load_per_s = gauge.rate(scene.history.operations, self.load.needs.aside, since_s, now_s)
            if load_per_s >= gauge.ENOUGH_PER_S or now_s >= until_s:
                return load_per_s

    async def _answered_again(self, scene: Scene, crowd: Crowd, after_s: float) -> float | None:
        until_s = time.monotonic() + _RECOVERS_WITHIN_S
        await asyncio.sleep(_FELT_S)
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
