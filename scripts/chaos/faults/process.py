"""Processes that die, and processes that stand still for a while."""

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
    # Callers of ours wait 5 s; a member of a consumer group is taken for gone after 6 s by default, see the stack.
    _LASTS_S = (5.5, 8.0)

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
