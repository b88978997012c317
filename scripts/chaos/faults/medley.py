"""Several faults on one platform, in turn: the short form, which starts each service once."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from scripts.chaos.fault import Fault, Injection
from scripts.chaos.load import Needs, Scene
from slipway.supervisor.spec import UnitSpec


class Medley:
    """Each of ``faults`` that suits the load, one a round. See :class:`scripts.chaos.fault.Fault`."""

    name = "medley"
    brokers = 1

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = list(faults)
        self._turn = 0

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault: those that don't suit are left out."""
        self._faults = [one for one in self._faults if one.unsuited(needs, profile) is None]
        return None if self._faults else "none of its faults suits"

    @asynccontextmanager
    async def around(self, folder: Path) -> AsyncIterator[None]:
        """See Fault."""
        async with AsyncExitStack() as stack:
            for one in self._faults:
                await stack.enter_async_context(one.around(folder))
            yield

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        """See Fault."""
        for one in self._faults:
            unit = await one.adapt(unit)
        return unit

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        fault = self._faults[self._turn % len(self._faults)]
        self._turn += 1
        return replace(await fault.inject(scene, needs, dice), kind=fault.name)
