"""Reading features online."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.feature_serving.domain.answer import AnswerColumn
from services.feature_serving.domain.reading import Question, answer, lookups, moments
from services.feature_serving.domain.status import Status
from services.feature_serving.engine.compiled import Compiled
from services.feature_serving.engine.reached import Reached
from services.feature_serving.ports.online_store import OnlineStore
from slipway.clock import Clock

log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Reads:
    """Answers questions, each by one round trip to the online store."""

    def __init__(self, compiled: Compiled, store: OnlineStore, reached: Reached, clock: Clock, project: str) -> None:
        self._reached = reached
        self._compiled = compiled
        self._store = store
        self._clock = clock
        self._project = project

    async def answer(self, question: Question) -> Sequence[AnswerColumn]:
        """A column a feature. Raises InvalidInput, NotFound, OnlineStoreUnavailable."""
        plan = await self._compiled.plan(question.service, question.features)
        rows, asked = lookups(plan, question.entities, self._project)
        now_us = (self._clock.now() - _EPOCH) // _MICROSECOND
        moments_us = moments(question.event_times_us, rows, now_us)
        # Asked before the values are: a boundary that is passed meanwhile must not make old values look new.
        boundaries = await self._reached.boundaries(plan.hops)
        columns = answer(plan, asked, await self._store.read(asked), moments_us, boundaries)
        for column in columns:
            if Status.UNREADABLE in column.statuses:
                log.warning("the online store holds values of another type", extra={"feature": column.name})
        return columns
