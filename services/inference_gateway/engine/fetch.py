"""Reading what a batch's versions take and the caller did not give: one question for all of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

import numpy as np

from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.columns import Column
from services.inference_gateway.domain.features import FeatureColumn, Online, join_keys, unread
from services.inference_gateway.domain.signature import Signature
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.ports import Features
from slipway.clock import Clock
from slipway.errors import InvalidInput, Kind, SlipwayError, invalid_field

log = logging.getLogger(__name__)

_TOLD_EVERY_S = 30.0
_AWAY = {Kind.UNAVAILABLE, Kind.DEADLINE_EXCEEDED, Kind.RESOURCE_EXHAUSTED}
_NOTHING = Online({})
Question = tuple[tuple[str, ...], tuple[Column, ...]]
"""Features, and the columns that they are read by."""


class Fetch:
    """Asks for features; a service that is away costs an answer its features, not the caller the answer.

    What it told of their fallbacks goes on counting meanwhile.
    """

    def __init__(self, features: Features, meter: Meter, clock: Clock) -> None:
        self._features = features
        self._meter = meter
        self._clock = clock
        self._told_at: float | None = None

    async def read(
        self, batch: Batch, answering: Sequence[Signature], shadows: Sequence[Signature], left_s: float | None = None
    ) -> Online:
        """What the versions that answer take, and the shadows too where the caller's keys allow.

        Nobody waits for a shadow alone: that is left to :meth:`more`. ``left_s`` are the seconds that the callers still
        wait. Raises InvalidInput when the keys of a version
        that answers are missing.
        """
        questions = [_question(one, batch) for one in answering]
        if not any(features for features, _ in questions):
            return _NOTHING
        for one in shadows:
            try:
                questions.append(_question(one, batch))
            except InvalidInput:
                continue  # the shadow's loss, which its score will tell
        return await self._ask([one for one in questions if one[0]], batch, left_s)

    async def more(self, online: Online, batch: Batch, shadow: Signature) -> Online:
        """What was read, and what a shadow takes beside it, if nobody asked for that yet."""
        if online.failure or all(spec.feature in online.columns for spec in unread(shadow, batch.features)):
            return online
        try:
            found = await self._ask([_question(shadow, batch)], batch)
        except InvalidInput:
            return online  # its score tells
        return Online({**online.columns, **found.columns}, found.failure)

    async def _ask(self, questions: Sequence[Question], batch: Batch, left_s: float | None = None) -> Online:
        _check_times(batch)
        whole = _union(questions)
        began = self._clock.monotonic()
        try:
            columns: Mapping[str, FeatureColumn] = await self._features.read(*whole, batch.event_times_us, left_s)
            failure = ""
        except SlipwayError as error:
            columns, failure = await self._apart(error, questions, batch, left_s)
        self._meter.fetched(batch.endpoint, self._clock.monotonic() - began, failed=bool(failure))
        if failure:
            self._tell(batch.endpoint, failure)
        return Online(columns, failure)

    async def _apart(
        self, error: SlipwayError, questions: Sequence[Question], batch: Batch, left_s: float | None
    ) -> tuple[Mapping[str, FeatureColumn], str]:
        """A service that refuses may refuse one version's features; the others are not to suffer for it."""
        if error.kind in _AWAY:
            return self._instead(_union(questions)[0], batch.rows), error.message
        if len({one[0] for one in questions}) == 1:
            return {}, error.message
        asked = (self._features.read(*one, batch.event_times_us, left_s) for one in questions)
        columns: dict[str, FeatureColumn] = {}
        failure = ""
        for (names, _), found in zip(questions, await asyncio.gather(*asked, return_exceptions=True), strict=True):
            if isinstance(found, SlipwayError):
                failure = found.message
                # What another question was answered about the same features is better.
                columns = (self._instead(names, batch.rows) if found.kind in _AWAY else {}) | columns
            elif isinstance(found, BaseException):
                raise found
            else:
                columns |= found
        return columns, failure

    def _instead(self, features: Sequence[str], rows: int) -> dict[str, FeatureColumn]:
        known = self._features.fallbacks(features)
        return {name: fallback.column(rows) for name, fallback in known.items()}

    def _tell(self, endpoint: str, why: str) -> None:
        now = self._clock.monotonic()
        if self._told_at is None or now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            log.warning("answers go without features that can't be read", extra={"endpoint": endpoint, "why": why})


def _question(signature: Signature, batch: Batch) -> Question:
    features = tuple(spec.feature for spec in unread(signature, batch.features))
    return features, join_keys(signature, batch.entity_keys) if features else ()


def _union(questions: Sequence[Question]) -> Question:
    features = dict.fromkeys(feature for names, _ in questions for feature in names)
    keys = {column.name: column for _, columns in questions for column in columns}
    return tuple(features), tuple(keys.values())


def _check_times(batch: Batch) -> None:
    early = np.flatnonzero(batch.event_times_us <= 0)
    if len(early):
        raise invalid_field(
            f"event_times[{early[0]}]", "lies before 1970, when no feature is known; give a later moment"
        )
