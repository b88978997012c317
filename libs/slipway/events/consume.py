"""The consuming loop: handle, then commit; retry what may pass, set aside what never will."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from slipway.clock import Clock
from slipway.errors import Kind, SlipwayError
from slipway.events.backoff import Backoff
from slipway.events.errors import Fenced
from slipway.events.port import Consumer, Record
from slipway.failpoints import hit_async

T = TypeVar("T")
Handle = Callable[[Sequence[Record]], Awaitable[None]]
_log = logging.getLogger(__name__)
# The fault is in what the effect needs, not in the record: it passes, or an operator mends it.
_PASSING = frozenset({Kind.UNAVAILABLE, Kind.RESOURCE_EXHAUSTED})


async def consume(
    consumer: Consumer,
    handle: Handle,
    *,
    clock: Clock,
    attempts: int = 5,
    limit: int = 500,
    poll_s: float = 1.0,
    backoff: Backoff | None = None,
    on_dead_letter: Callable[[Record], None] | None = None,
) -> None:
    """Give records to ``handle``, ``limit`` at most at a time, until cancelled.

    ``handle`` gets a record again after a crash, a cancellation or a failure, so its effect has to be
    idempotent (:mod:`slipway.events.inbox`); it returns when the effect is durable, and then the records are
    committed. While it raises Unavailable or Exhausted the loop waits and tries again, for as long as that
    takes. After any other error the records are handled one by one, each ``attempts`` times at most, and
    those that still fail are dead-lettered; ``on_dead_letter`` counts them.

    A record that carries no event of ours is dead-lettered unseen. Records that are Fenced meanwhile are another
    member's: the loop goes on with its own. Raises Fenced when another member took over all, and whatever non-passing
    error the log itself raises.
    """
    loop = _Loop(consumer, handle, clock, attempts, backoff or Backoff(), on_dead_letter)
    while True:
        records = await loop.patiently(lambda: consumer.poll(limit, poll_s))
        try:
            await loop.settle(records)
        except Fenced as fenced:
            _log.warning("%d records are another member's: %s", len(records), fenced.message)


async def set_aside(consumer: Consumer, record: Record, why: str) -> None:
    """Dead-letter a record that no other try can mend, from within ``handle``. Raises Fenced, Unavailable."""
    await hit_async("events.dead_letter.before")
    await consumer.dead_letter(record, why)
    await hit_async("events.dead_letter.after")


@dataclass(frozen=True)
class _Loop:
    consumer: Consumer
    handle: Handle
    clock: Clock
    attempts: int
    backoff: Backoff
    on_dead_letter: Callable[[Record], None] | None

    async def settle(self, records: Sequence[Record]) -> None:
        sound = [record for record in records if record.unreadable is None]
        try:
            if sound:
                await self.patiently(lambda: self._handle(sound))
        except Fenced:
            raise
        except Exception:
            _log.warning("a batch of %d records failed; trying them one by one", len(sound), exc_info=True)
            for record in records:
                await self._settle_one(record)
            return
        for record in records:
            if record.unreadable is not None:
                await self._give_up(record, record.unreadable)
        if records:
            await self.patiently(lambda: self._commit(records))

    async def _settle_one(self, record: Record) -> None:
        if record.unreadable is not None:
            await self._give_up(record, record.unreadable)
        elif (error := await self._last_error(record)) is not None:
            await self._give_up(record, f"{type(error).__name__}: {error}")
        await self.patiently(lambda: self._commit([record]))

    async def _give_up(self, record: Record, told: str) -> None:
        await self.patiently(lambda: set_aside(self.consumer, record, told))
        _log.error("dead-lettered event %s of %s: %s", record.event.id, record.event.topic, told)
        if self.on_dead_letter:
            self.on_dead_letter(record)

    async def _last_error(self, record: Record) -> Exception | None:
        """Why the record can't be handled, or None when it was."""
        failed: Exception | None = None
        for attempt in range(1, self.attempts + 1):
            try:
                await self.patiently(lambda: self._handle([record]))
            except Fenced:
                raise
            except Exception as error:
                failed = error
            else:
                return None
            if attempt < self.attempts:
                await self.clock.sleep(self.backoff.delay_s(attempt))
        return failed

    async def _handle(self, records: Sequence[Record]) -> None:
        await hit_async("events.handle.before")
        await self.handle(records)
        await hit_async("events.handle.after")

    async def _commit(self, records: Sequence[Record]) -> None:
        await hit_async("events.commit.before")
        await self.consumer.commit(records)
        await hit_async("events.commit.after")

    async def patiently(self, action: Callable[[], Awaitable[T]]) -> T:
        """Run ``action`` until it does something else than fail for a reason that passes."""
        failures = 0
        while True:
            try:
                return await action()
            except SlipwayError as error:
                if error.kind not in _PASSING:
                    raise
                failures += 1
                delay_s = self.backoff.delay_s(failures, error.retry_after_s)
                _log.warning("events wait %.1f s: %s", delay_s, error.message)
            await self.clock.sleep(delay_s)
