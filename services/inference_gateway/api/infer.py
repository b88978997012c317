"""One inference request of the Open Inference Protocol to its answer, whatever the transport."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from services.inference_gateway.api.caller import Caller
from services.inference_gateway.api.infer_forms import Asked, Form, Forms, Split, split
from services.inference_gateway.api.infer_reply import encode_infer, infer_bytes, infer_bytes_of_each
from services.inference_gateway.api.infer_settings import decode_classes, decode_settings, refuse_shared_inputs
from services.inference_gateway.api.tensors import decode_columns
from services.inference_gateway.domain.batch import Batch, Protocol, all_at
from services.inference_gateway.domain.signature import DataType, Signature
from services.inference_gateway.engine.admission import Admitted
from services.inference_gateway.engine.ask import Part
from services.inference_gateway.engine.bundle import Outcome
from services.inference_gateway.engine.status import Status
from slipway.clock import Clock
from slipway.errors import invalid_field
from slipway.gen.inference import inference_pb2 as pb
from slipway.rpc import deadline
from slipway.rpc.bundle import Apart, Tell, Together
from slipway.rpc.message import parse


class Infer:
    """Answers requests; each is logged as every prediction is."""

    def __init__(self, predict: Admitted, status: Status, clock: Clock, batch_rows: int) -> None:
        """``batch_rows`` is the most that a worker is given at once."""
        self._predict = predict
        self._status = status
        self._clock = clock
        self._forms = Forms(batch_rows)

    async def answer(self, request: pb.ModelInferRequest, caller: Caller) -> pb.ModelInferResponse:
        """The answer to a batch of feature columns.

        Raises InvalidInput, EndpointNotFound, NotReady, VersionNotServed, QueueFull, ModelFailed, WorkerDied, and
        DeadlineExceeded when the request's own time-out is over.
        """
        asked, _ = self._understand(request)
        return encode_infer(asked, await self._in_time(asked, caller))

    async def answer_bytes(self, data: bytes, caller: Caller) -> bytes:
        """The same from the request's bytes to the answer's. Raises MalformedMessage too."""
        parts = split(data)
        asked = None if parts is None else self._again(parts)
        if asked is None:
            asked, signature = self._understand(parse(pb.ModelInferRequest, data))
            if parts is not None:
                self._forms.learn(parts, asked, signature)
        return infer_bytes(asked, await self._in_time(asked, caller))

    def kind(self, data: bytes) -> tuple[Form, bytes] | None:
        """See Bundling: the form of a request that can be answered with others of it."""
        form = self._forms.find_whole(data)
        return (form, data) if form is not None and form.asked.settings.timeout_s is None else None

    def begin_together(self, kind: Form, read: Sequence[bytes], caller: Together, tell: Tell) -> asyncio.Future[Any]:
        """See Bundling; what befalls all of them is as in :meth:`answer`."""
        asked = kind.asked
        if self._status.takes(asked.endpoint, asked.version) is not kind.signature:
            raise Apart
        batch = self._batch(kind.read_together(read), caller.principal, "", caller.deadline_s)

        def encoded(numbers: Sequence[int], outcomes: Sequence[Outcome]) -> None:
            tell(numbers, infer_bytes_of_each(asked, outcomes))

        return self._predict.bundle(batch, len(read), encoded, whole=True, version=asked.version, traces=caller.traces)

    def _again(self, parts: Split) -> Asked | None:
        """A request like one before it; None where it has to be read as a whole. Raises as status.takes."""
        form = self._forms.find(parts)
        if form is None or self._status.takes(form.asked.endpoint, form.asked.version) is not form.signature:
            return None
        return form.read(parts)

    def _understand(self, request: pb.ModelInferRequest) -> tuple[Asked, Signature]:
        settings = decode_settings(request.parameters)
        signature = self._status.takes(named(request.model_name, "model_name"), request.model_version)
        wanted = _wanted(request, signature)
        refuse_shared_inputs(request.inputs)
        columns, rows = decode_columns(request, signature)
        name, version = request.model_name, request.model_version
        return Asked(name, version, request.id, settings, wanted, columns, rows), signature

    async def _in_time(self, asked: Asked, caller: Caller) -> Part:
        if asked.settings.timeout_s is None:
            return await self._ask(asked, caller)
        async with deadline.Bound(asked.settings.timeout_s):
            return await self._ask(asked, caller)

    async def _ask(self, asked: Asked, caller: Caller) -> Part:
        batch = self._batch(asked, caller.principal, caller.trace_id, deadline.ends_at())
        return await self._predict.by_one(batch, asked.version)

    def _batch(self, asked: Asked, tenant: str, trace_id: str, deadline_s: float | None) -> Batch:
        now = int(self._clock.now().timestamp() * 1e6)
        return Batch(
            endpoint=asked.endpoint,
            rows=asked.rows,
            ids=(),
            event_times_us=all_at(now, asked.rows),
            timed=False,
            entity_keys=(),
            features=asked.columns,
            protocol=Protocol.OPEN_INFERENCE,
            trace_id=trace_id,
            tenant=tenant,
            priority=asked.settings.priority,
            deadline_s=deadline_s,
            alike=asked.alike,
        )


def named(name: str, field: str) -> str:
    """The name of an endpoint. Raises InvalidInput when it is empty."""
    if not name:
        raise invalid_field(field, "is empty; give the name of an endpoint")
    return name


def _wanted(request: pb.ModelInferRequest, signature: Signature) -> dict[str, int]:
    """The outputs that are asked for, in that order, each with how many classes of it: 0 is the tensor itself."""
    given = signature.answers
    if not request.outputs:
        return dict.fromkeys(given, 0)
    wanted: dict[str, int] = {}
    for position, one in enumerate(request.outputs):
        field = f"outputs[{position}]"
        if one.name not in given:
            raise invalid_field(f"{field}.name", f"{one.name!r} is not an output; ask for {', '.join(given)}")
        if one.name in wanted:
            raise invalid_field(f"{field}.name", f"asks for {one.name!r} twice; ask once")
        wanted[one.name] = decode_classes(one, field) if one.parameters else 0
        if wanted[one.name] and given[one.name] is DataType.BYTES:
            raise invalid_field(
                f"{field}.parameters[classification]", f"{one.name!r} holds texts, which have no order; ask for numbers"
            )
    return wanted
