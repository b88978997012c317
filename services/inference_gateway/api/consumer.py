"""Requests from the event bus, read as the group ``inference_gateway``, and the responses to them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from google.protobuf.message import DecodeError

from services.inference_gateway import codec
from services.inference_gateway.api.outcome import encode_error, tell
from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.errors import ResponseTooLarge
from services.inference_gateway.engine.follow import Follow
from services.inference_gateway.engine.meter import Meter
from services.inference_gateway.engine.persist import Persist
from services.inference_gateway.ports import Bus
from slipway.clock import Clock
from slipway.errors import InvalidInput, SlipwayError, invalid_field
from slipway.events import Backoff, Consumer, Event, EventTooLarge, Fenced, Record, consume, set_aside
from slipway.gen.slipway.inference.v1 import events_pb2, inference_pb2

REQUESTS = "inference.requests.v1"
RESPONSES = "inference.responses.v1"
GROUP = "inference_gateway"
TYPE = "slipway.inference.answered"
log = logging.getLogger(__name__)

_TRACE = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_CARRIED = ("traceparent", "tracestate")


class Requests:
    """Answers every sound event and sets the others aside.

    What is fetched together is answered together, and published in its order before its offsets are committed. Killed
    in between it is answered again, under the same ids.
    """

    def __init__(
        self,
        bus: Bus,
        persist: Persist,
        follow: Follow,
        meter: Meter,
        clock: Clock,
        *,
        gateway_id: str,
        tenant: str | None,
        at_once: int,
    ) -> None:
        """``tenant`` is who asks, and pays; None: nobody is answered."""
        self._tenant = tenant
        self._bus = bus
        self._persist = persist
        self._follow = follow
        self._meter = meter
        self._clock = clock
        self._gateway_id = gateway_id
        self._at_once = at_once

    async def run(self) -> None:
        """Answer until cancelled. While nothing is known of what to serve, or the bus is away, requests wait there."""
        if self._tenant is None:
            log.info("requests that come by events are not answered here")
            await asyncio.Event().wait()
        await self._follow.told()
        backoff, failures = Backoff(), 0
        while True:
            try:
                async with self._bus.consumer([REQUESTS], GROUP) as consumer:
                    await self._consume(consumer)
            except Fenced as fenced:
                # Two that take the topic from each other would both serve it badly; callers of gRPC are still served.
                log.error("requests are another's until this gateway is started again: %s", fenced.message)
                await asyncio.Event().wait()
            except SlipwayError as error:
                failures += 1
                log.warning("requests wait on the event bus: %s", error.message)
                await self._clock.sleep(backoff.delay_s(failures, error.retry_after_s))

    async def _consume(self, consumer: Consumer) -> None:
        await consume(
            consumer,
            partial(self.handle, consumer),
            clock=self._clock,
            limit=self._at_once,
            on_dead_letter=lambda _: self._meter.dead_lettered(),
        )

    async def handle(self, consumer: Consumer, records: Sequence[Record]) -> None:
        """Answer ``records``; may be given any of them again."""
        asked: list[tuple[Event, events_pb2.PredictionRequested]] = []
        unsound: list[tuple[Record, str]] = []
        for record in records:
            try:
                asked.append((record.event, _decoded(record.event)))
            except InvalidInput as error:
                # Trying again can't mend its bytes, so the loop's patient way of dead-lettering is not for it.
                unsound.append((record, error.message))
        await self._publish([event for event, _ in asked], await self._answered(asked))
        for record, why in unsound:
            await set_aside(consumer, record, why)
            log.error("dead-lettered an event: %s", why, extra={"event": record.event.id, "offset": record.offset})
            self._meter.dead_lettered()

    async def _answered(self, asked: Sequence[tuple[Event, events_pb2.PredictionRequested]]) -> list[Event]:
        """The responses, in order; the engine makes batches of requests that wait together."""
        answers = await asyncio.gather(*(self._answer(*one) for one in asked), return_exceptions=True)
        responses: list[Event] = []
        for (event, request), answer in zip(asked, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            responses.append(self._event(event, request.reply_key or event.key, answer))
        return responses

    async def _answer(self, event: Event, request: events_pb2.PredictionRequested) -> events_pb2.PredictionAnswered:
        answered = events_pb2.PredictionAnswered(request_id=event.id, gateway_id=self._gateway_id)
        await tell(answered, self._predicted(event, request.request))
        return answered

    async def _predicted(self, event: Event, request: inference_pb2.PredictRequest) -> inference_pb2.PredictResponse:
        batch = codec.decode_batch(request, event.time, _trace_id(event), tenant=self._tenant or "")
        batch = _named(batch, event.id)
        return codec.encode_predictions(await self._persist.predictions(batch))

    async def _publish(self, requests: Sequence[Event], responses: list[Event]) -> None:
        """Publish all in order; one that is too large for an event gives way to an error that says so."""
        places = {response.id: place for place, response in enumerate(responses)}
        refused: set[int] = set()
        while responses:
            try:
                await self._bus.publish(responses)
            except EventTooLarge as error:
                place = places[error.facts["event_id"]]
                if place in refused:
                    raise
                refused.add(place)
                told = events_pb2.PredictionAnswered(request_id=requests[place].id, gateway_id=self._gateway_id)
                told.error.CopyFrom(encode_error(ResponseTooLarge(error.facts)))
                responses[place] = replace(responses[place], value=told.SerializeToString())
            else:
                return

    def _event(self, request: Event, key: str, answered: events_pb2.PredictionAnswered) -> Event:
        return Event(
            f"{request.id}/response",
            RESPONSES,
            key,
            TYPE,
            self._gateway_id,
            self._clock.now(),
            answered.SerializeToString(),
            {name: request.headers[name] for name in _CARRIED if name in request.headers},
        )


def _decoded(event: Event) -> events_pb2.PredictionRequested:
    if not 2 <= event.time.year <= 9998:
        raise invalid_field("ce_time", "is no moment that can be kept; give years 2 to 9998")
    try:
        return events_pb2.PredictionRequested.FromString(event.value)
    except DecodeError:
        raise invalid_field("value", "is no slipway.inference.v1.PredictionRequested; encode one") from None


def _named(batch: Batch, event_id: str) -> Batch:
    """The batch with ids: its own, else such as the same event gets again."""
    if batch.ids:
        return batch
    stem = hashlib.sha256(event_id.encode()).hexdigest()[:32]
    return replace(batch, ids=tuple(f"{stem}.{row}" for row in range(batch.rows)))


def _trace_id(event: Event) -> str:
    found = _TRACE.fullmatch(event.headers.get("traceparent", ""))
    return found[1] if found else ""
