"""Processes that die, stand still for a while, or are two."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time

from scripts.chaos.fault import Injection
from scripts.chaos.faults.plain import Plain
from scripts.chaos.load import Needs, Scene

_GONE_S = 10.0


class Kill(Plain):
    """``kill -9`` of a victim at a moment by chance; the supervisor starts it again."""

    name = "kill"

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        victim = dice.choice(needs.victims)
        pid = await scene.platform.pid_of_serving(victim)
        began_s = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await scene.platform.died(victim, pid, _GONE_S)
        return Injection(began_s, f"kill -9 {victim}")


class Pause(Plain):
    """SIGSTOP of a victim, and SIGCONT after it was taken for dead: past its callers' deadlines and its leases."""

    name = "pause"
    # Callers of ours wait for 5 s; a member of a consumer group is taken for gone after 10.
    _LASTS_S = (10.5, 13.0)

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        victim, lasts_s = dice.choice(needs.victims), dice.uniform(*self._LASTS_S)
        pid = await scene.platform.pid_of_serving(victim)
        began_s = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(lasts_s)
        finally:
            os.kill(pid, signal.SIGCONT)
        return Injection(began_s, f"SIGSTOP {victim}", facts={"lasted_s": round(lasts_s, 2)})


class Takeover(Plain):
    """SIGSTOP of a victim, a second process of the service in its place, then SIGCONT: two at once, for a while."""

    name = "takeover"
    _SERVES_WITHIN_S = 60.0
    _BOTH_S = (1.0, 4.0)

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        if needs.alone:
            return "it works alone on its data: a second one on it refuses to start"
        return None if profile == "stack" else "whoever stands still may hold SQLite's lock, and nobody takes that over"

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        victim, both_s = dice.choice(needs.victims), dice.uniform(*self._BOTH_S)
        pid = await scene.platform.pid_of_serving(victim)
        began_s = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        async with scene.platform.twin(victim, self._SERVES_WITHIN_S) as serves:
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(both_s)
        if await scene.platform.died(victim, pid, 0.0):
            await scene.platform.pid_of_serving(victim)
        facts = {"both_s": round(both_s, 2)}
        return Injection(began_s, f"a second {victim}", struck=serves, facts=facts)
