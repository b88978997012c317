"""What a run's steps printed and logged, as it stands and as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from services.training_scheduler.domain.errors import StepNotFound
from services.training_scheduler.domain.log import LogLine
from services.training_scheduler.domain.rules import check_run_id
from services.training_scheduler.domain.run import Run
from services.training_scheduler.engine.ledger import Ledger
from services.training_scheduler.ports import Logs
from slipway.clock import Clock

# Steps write files, perhaps from elsewhere; nothing tells when one has grown.
_LOOK_AGAIN_S = 0.2
Place = tuple[str, int]


class RunLogs:
    """The logs of runs."""

    def __init__(self, ledger: Ledger, logs: Logs, clock: Clock) -> None:
        self._ledger = ledger
        self._logs = logs
        self._clock = clock

    async def stream(self, run_id: str, step: str, *, follow: bool) -> AsyncIterator[Sequence[LogLine]]:
        """Lines, some at a time, oldest first within a step; with ``follow`` until the run has ended.

        Raises InvalidInput, RunNotFound, StepNotFound.
        """
        check_run_id(run_id)
        reached: dict[Place, int] = {}
        while True:
            run = await self._ledger.get(run_id)
            if step and step not in {one.name for one in run.steps}:
                raise StepNotFound(run_id, step)
            last = run.final or not follow
            for place in _places(run, step):
                async for lines in self._rest(run_id, place, reached, last=last):
                    yield lines
            if last:
                return
            await self._clock.sleep(_LOOK_AGAIN_S)

    async def _rest(
        self, run_id: str, place: Place, reached: dict[Place, int], *, last: bool
    ) -> AsyncIterator[Sequence[LogLine]]:
        step, attempt = place
        while True:
            lines, end = await self._logs.read(run_id, step, attempt, reached.get(place, 0), last=last)
            reached[place] = end
            if not lines:
                return
            yield [LogLine(step, attempt, text) for text in lines]


def _places(run: Run, step: str) -> Sequence[Place]:
    return [(one.name, tried.number) for one in run.steps if step in {"", one.name} for tried in one.attempts]
