"""One request of Slipway's own protocol to its answer, alone or with others that differ in their numbers alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from services.inference_gateway import codec
from services.inference_gateway.api.predict_forms import Form, Forms, Numbers, split
from services.inference_gateway.api.together import most_together
from services.inference_gateway.domain.batch import Batch, Protocol, all_at, are_plain
from services.inference_gateway.domain.columns import Column
from services.inference_gateway.domain.merge import stacked
from services.inference_gateway.engine.admission import Admitted
from services.inference_gateway.engine.bundle import Outcome
from services.inference_gateway.engine.predict import in_order
from slipway.clock import Clock
from slipway.errors import SlipwayError
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.rpc.bundle import Tell, Together
from slipway.rpc.call import Call
from slipway.rpc.message import parse

_MOST_KINDS = 256
_MOST_BYTES = 4096  # before the columns


class Alike(NamedTuple):
    """What requests have in common that ask one endpoint about columns of one form, and name what they ask about."""

    endpoint: str
    priority: int
    form: Form
    most: int


class _Asked(NamedTuple):
    """What a request says before its columns, if that is no more than this: ``keys`` [rows] are the entities'."""

    endpoint: str
    priority: int
    keys: tuple[Column, ...]


class _Read(NamedTuple):
    """What of a request is its own."""

    numbers: Numbers
    keys: tuple[Column, ...]


class Predictions:
    """Answers requests; each is logged as every prediction is."""

    def __init__(self, predict: Admitted, clock: Clock, batch_rows: int) -> None:
        """``batch_rows`` is the most that a worker is given at once."""
        self._batch_rows = batch_rows
        self._predict = predict
        self._clock = clock
        self._forms = Forms()
        self._kinds: dict[object, Alike] = {}
        self._same: dict[bytes, _Asked] = {}
        """What stood before the columns of requests without keys."""

    async def answer(self, request: pb.PredictRequest, call: Call) -> pb.PredictResponse:
        """The answer to a batch. Raises as :meth:`Predict.predictions` and :meth:`Admission.enter`."""
        return codec.encode_predictions(await self._predict.predictions(self._batch(request, call)))

    async def answer_bytes(self, data: bytes, call: Call) -> bytes:
        """The same from the request's bytes to the answer's. Raises MalformedMessage too."""
        parts = split(data)
        found = None if parts is None else self._forms.find(parts.columns)
        if parts is None or found is None:
            batch = self._batch(parse(pb.PredictRequest, data), call)
            if parts is not None:
                self._forms.learn(parts.columns, batch.features)
        else:
            form, numbers = found
            batch = self._batch(parse(pb.PredictRequest, parts.before), call, form.read(numbers), form)
        return codec.prediction_bytes(await self._predict.predictions(batch))

    def kind(self, data: bytes) -> tuple[Alike, _Read] | None:
        """See Bundling: requests without ids, moments and a wish for explanations."""
        parts = split(data)
        found = None if parts is None else self._forms.find(parts.columns)
        if parts is None or found is None:
            return None
        form, numbers = found
        asked = self._same.get(parts.before) or self._asked(parts.before, form.rows)
        if asked is None:
            return None
        endpoint, priority, keys = asked
        name = (endpoint, priority, id(form), *[(one.name, one.kind.value) for one in keys])
        return self._kinds.get(name) or self._new_kind(name, asked, form), _Read(numbers, keys)

    def begin_together(self, kind: Alike, read: Sequence[_Read], caller: Together, tell: Tell) -> asyncio.Future[Any]:
        """See Bundling; what befalls all of them is as in :meth:`answer`."""
        many, rows = len(read), kind.form.rows
        keys = [one.keys for one in read]
        batch = Batch(
            endpoint=kind.endpoint,
            rows=rows * many,
            ids=(),
            event_times_us=all_at(int(self._clock.now().timestamp() * 1e6), rows * many),
            timed=False,
            entity_keys=tuple(stacked(keys)) if keys[0] else (),
            features=kind.form.read_together([one.numbers for one in read]),
            protocol=Protocol.PREDICT,
            tenant=caller.principal,
            priority=kind.priority,
            deadline_s=caller.deadline_s,
            alike=kind.form,
        )

        def encoded(numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
            tell(numbers, [_encoded(one, rows) for one in outcomes])

        return self._predict.bundle(batch, many, encoded, whole=False, traces=caller.traces)

    def _batch(
        self,
        request: pb.PredictRequest,
        call: Call,
        features: Sequence[Column] | None = None,
        alike: object = None,
    ) -> Batch:
        return codec.decode_batch(
            request,
            self._clock.now(),
            call.trace_id,
            call.deadline_s,
            call.principal,
            features=features,
            alike=alike,
        )

    def _asked(self, before: bytes, rows: int) -> _Asked | None:
        """What a request says before its columns; None where that is more, or not as it should be."""
        if len(before) > _MOST_BYTES:
            return None
        try:
            request = parse(pb.PredictRequest, before)
            keys = codec.decode_keys(request)
        except SlipwayError:
            return None  # its own caller is to hear of it
        if request.prediction_ids or request.event_times or request.explain or not are_plain(keys, rows):
            return None
        asked = _Asked(request.endpoint, request.priority, keys)
        if not keys:
            if len(self._same) >= _MOST_KINDS:
                self._same.clear()
            self._same[before] = asked
        return asked

    def _new_kind(self, name: object, asked: _Asked, form: Form) -> Alike:
        if len(self._kinds) >= _MOST_KINDS:
            self._kinds.clear()
        most = most_together(form.rows, form.size, self._batch_rows)
        made = self._kinds[name] = Alike(asked.endpoint, asked.priority, form, most)
        return made


def _encoded(outcome: Outcome, rows: int) -> bytes | BaseException:
    if isinstance(outcome, BaseException):
        return outcome
    try:
        return codec.prediction_bytes(in_order(rows, {}, outcome))
    except Exception as defect:
        return defect  # of this answer, and of no other
