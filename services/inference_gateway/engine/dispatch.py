"""Running chunks on the versions' workers, in a lane each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.inference_gateway.domain.errors import NotReady
from services.inference_gateway.domain.fair_queue import Bounds, FairQueue
from services.inference_gateway.domain.outputs import Outputs
from services.inference_gateway.engine.ask import Ask
from services.inference_gateway.engine.chunk import Chunk
from services.inference_gateway.engine.lane import NO_LOAD, Lane, Load
from services.inference_gateway.engine.probe import Probe
from services.inference_gateway.engine.runner import Runner
from services.inference_gateway.engine.settle import Settle
from slipway.clock import Clock


class Dispatch:
    """Hands each chunk to the lane of its version."""

    def __init__(
        self, settle: Settle, clock: Clock, bounds: Bounds, batch_rows: int, weights: Mapping[str, float] | None = None
    ) -> None:
        """``batch_rows`` is the most that a worker is given at once; ``weights`` are the tenants' shares."""
        self._settle = settle
        self._clock = clock
        self._bounds = bounds
        self._batch_rows = batch_rows
        self._weights = weights
        self._lanes: dict[Runner, Lane] = {}
        self.on_room: Callable[[], None] = _nothing
        """Called when a version may have room for more."""

    def has_room(self, runner: Runner) -> bool:
        """Whether a version's workers would take up another chunk of callers' rows before long."""
        lane = self._lanes.get(runner)
        return lane is None or not lane.unsettled or lane.unsettled < runner.capacity

    def load(self, runner: Runner) -> Load:
        """What a version has to do now."""
        lane = self._lanes.get(runner)
        return NO_LOAD if lane is None else lane.load

    def offer(self, chunk: Chunk) -> None:
        """Let a chunk be run. Raises QueueFull; requests that can't be answered in time are refused at once."""
        if chunk.lacking is not None:
            self._settle.failed(chunk, chunk.lacking)
            return
        self._lane(chunk.arm.runner).push(chunk)

    async def probe(self, runner: Runner, probe: Probe) -> Outputs:
        """What a version says of some rows, whenever it has nothing to answer.

        Raises QueueFull, ModelFailed, WorkerDied, Quarantined.
        """
        self._lane(runner).probe(probe)
        return await probe.outputs

    def _lane(self, runner: Runner) -> Lane:
        if (lane := self._lanes.get(runner)) is not None:
            return lane
        for ended in [one for one in self._lanes if one.stopped]:
            del self._lanes[ended]
        lane = self._lanes[runner] = Lane(
            runner,
            FairQueue(str(runner.spec.key), self._bounds, self._weights),
            FairQueue(f"explanations by {runner.spec.key}", self._bounds, self._weights),
            settle=self._settle,
            clock=self._clock,
            batch_rows=self._batch_rows,
            offer=self.offer,
            on_room=self._tell,
        )
        return lane

    def refuse(self, ask: Ask, error: NotReady) -> None:
        """Let the endpoint's default answer stand in where no version is loaded, or tell the caller."""
        self._settle.unready(ask, error)

    def _tell(self) -> None:
        self.on_room()


def _nothing() -> None:
    """Nobody waits for room."""
