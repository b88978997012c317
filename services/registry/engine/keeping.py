"""Letting go of what a rollout keeps for a time."""

from __future__ import annotations

import logging

from services.registry.domain.arms import PREVIOUS, without_previous
from services.registry.domain.endpoint import Endpoint
from services.registry.domain.revision import Cause, Why
from services.registry.engine.putting import put, resolve
from services.registry.engine.watch import Watch
from services.registry.ports import Catalogue
from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError

log = logging.getLogger(__name__)
_PASSING = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED}


class Keeping:
    """Takes the arm ``previous`` from an endpoint once its rollout's plan keeps it no longer."""

    def __init__(self, catalogue: Catalogue, watch: Watch, clock: Clock, *, every_s: float = 5.0) -> None:
        self._catalogue = catalogue
        self._watch = watch
        self._clock = clock
        self._every_s = every_s

    async def run(self) -> None:
        """Look now and then, until cancelled; what can't be changed now is changed later."""
        while True:
            try:
                await self.let_go()
            except SlipwayError as error:
                if error.kind not in _PASSING:
                    raise
                log.warning("what was kept for a time stays for now: %s", error.message)
            await self._clock.sleep(self._every_s)

    async def let_go(self) -> int:
        """Look once; how many arms went."""
        async with self._catalogue.read() as catalogue:
            due = [one.name for one in await catalogue.endpoints_with(PREVIOUS) if self._due(one)]
        if not due:
            return 0
        gone = 0
        async with self._catalogue.write() as writer:
            for name in due:
                endpoint = await writer.endpoint(name)
                if endpoint is None or endpoint.rollout is None or not self._due(endpoint):
                    continue
                spec = await resolve(writer, without_previous(endpoint.spec))
                told = f"the version before was kept for {endpoint.rollout.plan.keep_s} s"
                await put(writer, name, spec, Why(Cause.ROLLOUT, told, endpoint.rollout.id), self._clock.now())
                gone += len(endpoint.routes) - len(spec.routes)
        self._watch.wake()
        return gone

    def _due(self, endpoint: Endpoint) -> bool:
        until = endpoint.rollout.kept_until if endpoint.rollout else None
        if until is None or until > self._clock.now():
            return False
        # Somebody may have given the arm a weight, and then it is kept for more than going back.
        return any(one.name == PREVIOUS and one.shadow and not one.weight for one in endpoint.routes)
