"""Flights replayed in lockstep: nothing is asked before all that was known by then is in the online store."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from examples.flights.patience import insist
from examples.flights.questions import Batch, Questions
from examples.flights.streams import Stream
from slipway.client import AsyncSlipway, Prediction
from slipway.events import Event, Publisher

TICK = timedelta(hours=1)
_PUBLISHED_AT_ONCE = 20
_ALONE_HOURS = 3


@dataclass
class Answers:
    """What the replay was told: how many predictions, degraded ones among them, and the seconds of single requests."""

    predictions: int = 0
    degraded: int = 0
    by_version: dict[int, int] = field(default_factory=dict)
    single_s: list[float] = field(default_factory=list)

    def add(self, answers: Sequence[Prediction]) -> None:
        """Count a request's answers."""
        for one in answers:
            self.predictions += 1
            self.degraded += one.degraded
            self.by_version[one.version] = self.by_version.get(one.version, 0) + 1

    def latency_ms(self, share: float) -> float:
        """The time that this share of the one-row requests took at most."""
        ranked = sorted(self.single_s)
        return 1_000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


Decide = Callable[[datetime], Awaitable[None]]


class Replay:
    """Ticks of an hour: publish what is known by the tick, wait for the watermark, ask what is due, labels follow.

    Event time travels in every event and request, so the platform lives in 2013. A tick may be repeated: events and
    predictions have ids of their own.
    """

    def __init__(
        self,
        slipway: AsyncSlipway,
        publisher: Publisher,
        streams: Sequence[Stream],
        questions: Questions,
        endpoint: str,
    ) -> None:
        self._slipway = slipway
        self._publisher = publisher
        self._streams = streams
        self._questions = questions
        self._endpoint = endpoint
        self.spent_s: dict[str, float] = dict.fromkeys(("publish", "watermark", "ask", "decide"), 0.0)
        self.answers = Answers()

    async def history(self, end: datetime, progress: Callable[[str], None]) -> None:
        """Publish everything that was known by ``end``, and wait until it is in the online store."""
        for stream in self._streams:
            progress(f"{stream.view}")
            await self._publish(list(stream.events(None, end)))
        await self._passed(end)

    async def run(self, start: datetime, end: datetime, decide: Decide, progress: Callable[[str], None]) -> None:
        """Tick from ``start`` (what was known by then is there) to ``end``; ``decide`` is awaited once a day.

        Labels of flights that land after ``end`` follow at the end, and one more decision.
        """
        now = start
        while now < end:
            with self._timed("ask"):
                await self._ask(self._questions.due(now, now + TICK), one_alone=now.hour % _ALONE_HOURS == 0)
            before, now = now, min(self._next(now + TICK), end)
            await self._tell(before, now)
            if now.date() != before.date():
                progress(f"{now:%d %B}, {self.answers.predictions:,} flights asked about")
                with self._timed("decide"):
                    await decide(now)
        last = max(end, self._questions.last_label_time)
        await self._publish(self._questions.labels(self._endpoint, end, last))
        await decide(last)

    def _next(self, tick: datetime) -> datetime:
        """The first tick from ``tick`` on after which somebody asks, or at which a day begins."""
        midnight = datetime.combine(tick.date(), datetime.min.time(), UTC)
        due = self._questions.next_due(tick)
        if tick == midnight or due is None or due - tick < TICK:
            return tick
        return min(tick + (due - tick) // TICK * TICK, midnight + timedelta(days=1))

    async def _tell(self, after: datetime, now: datetime) -> None:
        events = [event for stream in self._streams for event in stream.events(after, now)]
        with self._timed("publish"):
            await self._publish([*events, *self._questions.labels(self._endpoint, after, now)])
        with self._timed("watermark"):
            await self._passed(now)

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.spent_s[what] += time.perf_counter() - began

    async def _publish(self, events: Sequence[Event]) -> None:
        for start in range(0, len(events), _PUBLISHED_AT_ONCE):
            part = events[start : start + _PUBLISHED_AT_ONCE]
            await insist(lambda part=part: self._publisher.publish(part))  # type: ignore[misc]

    async def _passed(self, moment: datetime) -> None:
        views = [stream.view for stream in self._streams]
        await insist(lambda: self._slipway.features.await_watermarks(views, moment))

    async def _ask(self, batch: Batch, *, one_alone: bool) -> None:
        """All flights together; with ``one_alone`` the first by itself, as an application would, and timed."""
        start = min(int(one_alone), len(batch.ids))
        if start:
            began = time.perf_counter()
            self.answers.add(await self._predict(batch, slice(0, 1)))
            self.answers.single_s.append(time.perf_counter() - began)
        if len(batch.ids) > start:
            self.answers.add(await self._predict(batch, slice(start, None)))

    async def _predict(self, batch: Batch, rows: slice) -> list[Prediction]:
        return await insist(
            lambda: self._slipway.inference.predict_columns(
                self._endpoint,
                {name: values[rows] for name, values in batch.features.items()},
                entity_keys={name: values[rows] for name, values in batch.entities.items()},
                prediction_ids=batch.ids[rows],
                event_times=batch.event_times[rows],
            )
        )
