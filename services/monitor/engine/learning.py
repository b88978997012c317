"""Learning from the registry what versions were trained on, and what endpoints should serve."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime

from services.monitor.domain.baseline import Baseline
from services.monitor.domain.endpoint import Endpoint, EndpointGone
from services.monitor.domain.incident import ANSWERS_NO_MORE
from services.monitor.domain.trial import trial_of
from services.monitor.engine.settling import Settling
from services.monitor.ports import Windows, Writer
from slipway.clock import Clock

log = logging.getLogger(__name__)
Fact = Baseline | Endpoint | EndpointGone


class Learning:
    """Keeps what the registry announces, starts and stops trials, and ends incidents of versions that went."""

    def __init__(self, windows: Windows, settling: Settling, clock: Clock) -> None:
        self._windows = windows
        self._settling = settling
        self._clock = clock

    async def learn(self, facts: Mapping[str, Fact]) -> None:
        """Take in what was not taken in before; ``facts`` are by the id of their event, in order.

        What waited for a baseline is settled even when the fact itself is not new: who was killed in between is given
        it again.
        """
        now = self._clock.now()
        async with self._windows.write() as windows:
            fresh = await windows.claim(list(facts), now)
            for event_id, fact in facts.items():
                if event_id in fresh:
                    await _learn(windows, fact, now)
        if any(isinstance(fact, Baseline) for fact in facts.values()):
            await self._settling.settle()


async def _learn(windows: Writer, fact: Fact, now: datetime) -> None:
    if isinstance(fact, Baseline):
        await windows.registered.keep_baseline(fact)
        if not fact.features:
            log.info("%s version %d has no baseline of its features: it is not judged", fact.model, fact.version)
    elif isinstance(fact, EndpointGone):
        await windows.registered.drop_endpoint(fact.name)
        await windows.trials.stop_all_but(fact.name, None)
        await _end_incidents(windows, fact.name, frozenset(), now)
    else:
        known = await windows.endpoint(fact.name)
        if known is None or fact.revision >= known.revision:
            await _follow(windows, fact, now)


async def _follow(windows: Writer, endpoint: Endpoint, now: datetime) -> None:
    await windows.registered.keep_endpoint(endpoint)
    trial = trial_of(endpoint, (await windows.progress(endpoint.name)).both_us)
    await windows.trials.stop_all_but(endpoint.name, trial)
    if trial:
        await windows.trials.start(trial)
    await _end_incidents(windows, endpoint.name, endpoint.answering, now)


async def _end_incidents(windows: Writer, endpoint: str, answering: frozenset[tuple[str, int]], now: datetime) -> None:
    for incident in await windows.judgements.open_incidents(endpoint):
        if (incident.model, incident.version) not in answering:
            await windows.judgements.put_incident(incident.closed(ANSWERS_NO_MORE, now))
