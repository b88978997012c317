"""What the log says of rollouts, made true: the verdicts of the monitor, and arms that a gateway gave up."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from services.registry.domain.revision import Cause
from services.registry.domain.rollout import ArmDisabled, Rollout, Verdict, disable, judge
from services.registry.engine.rollouts import settle
from services.registry.engine.watch import Watch
from services.registry.ports import Catalogue, Writer
from slipway.clock import Clock

Finding = Verdict | ArmDisabled
log = logging.getLogger(__name__)


class Judging:
    """Commits the steps of rollouts. An event's effect and the memory of its id are one transaction."""

    def __init__(self, catalogue: Catalogue, watch: Watch, clock: Clock) -> None:
        self._catalogue = catalogue
        self._watch = watch
        self._clock = clock

    async def take(self, findings: Mapping[str, Finding]) -> None:
        """Take events in by their ids, in order; one that was taken before, or is about no running step, is ignored."""
        async with self._catalogue.write() as catalogue:
            now = self._clock.now()
            fresh = await catalogue.claim(list(findings), now)
            for event_id, finding in findings.items():
                if event_id in fresh:
                    await _take(catalogue, finding, now)
        self._watch.wake()


async def _take(catalogue: Writer, finding: Finding, now: datetime) -> None:
    endpoint = await catalogue.endpoint(finding.endpoint)
    rollout = endpoint.rollout if endpoint else None
    after = _after(rollout, finding, now) if rollout else None
    if endpoint is None or after is None:
        log.info("ignored what is about no running step of a rollout: %s", finding)
        return
    await settle(catalogue, endpoint, after, now, Cause.ROLLOUT if isinstance(finding, Verdict) else Cause.GUARDRAIL)
    log.info(
        "rollout %s of %s: %s at step %d: %s", after.id, endpoint.name, after.state.value, after.step, after.reason
    )


def _after(rollout: Rollout, finding: Finding, now: datetime) -> Rollout | None:
    if isinstance(finding, Verdict):
        return judge(rollout, finding, now)
    return disable(rollout, finding, now)
