"""Making training sets."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from services.feature_serving.domain.training_set import Contents, TrainingSet
from services.feature_serving.ports.training_sets import Joiner, TrainingSets
from slipway.artifacts import ArtifactStore
from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError

_AWAY_S = 1.0
# A commit whose answer was lost wakes nobody; this bounds how late its set is seen.
_LOOK_AGAIN_S = 2.0
_LATER = {Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED, Kind.ABORTED}
_SIZE_LIMIT_BYTES = 2**40
_log = logging.getLogger(__name__)


class Building:
    """Makes the sets that are asked for, the oldest first, one at a time.

    A set stays BUILDING until it is made or can't be: one that a killed process was at is simply the first again.
    """

    def __init__(
        self,
        sets: TrainingSets,
        joiner: Joiner,
        artifacts: ArtifactStore,
        clock: Clock,
        look_again_s: float = _LOOK_AGAIN_S,
    ) -> None:
        self._sets = sets
        self._joiner = joiner
        self._artifacts = artifacts
        self._clock = clock
        self._look_again_s = look_again_s
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that there is a new set to make."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._woken.clear()
            try:
                async with self._sets.read() as sets:
                    waiting = await sets.next()
                if waiting is None:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._look_again_s):
                            await self._woken.wait()
                else:
                    await self._make(waiting)
            except SlipwayError as error:
                _log.warning("training sets wait: %s", error.message, exc_info=error)
                await self._clock.sleep(_AWAY_S)

    async def _make(self, waiting: TrainingSet) -> None:
        """Make one set, or tell why it can't be made. Raises what another try may mend."""
        try:
            spine = self._artifacts.chunks(waiting.recipe.spine_digest)
            async with self._joiner.join(waiting, spine) as joined:
                stored = await self._artifacts.put(joined.chunks, limit_bytes=_SIZE_LIMIT_BYTES)
            contents = Contents(stored.digest, stored.size_bytes, joined.facts)
            made = waiting.ready(contents, self._clock.now())
        except SlipwayError as error:
            if error.kind in _LATER:
                raise
            made = waiting.failed(error.message, self._clock.now())
        async with self._sets.write() as sets:
            await sets.finish(made)
        _log.info("a training set ended", extra={"id": made.id, "state": made.state, "error": made.error})
