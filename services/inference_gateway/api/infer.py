"""One inference request of the Open Inference Protocol to its answer, whatever the transport."""

from __future__ import annotations

from services.inference_gateway.api.caller import Caller
from services.inference_gateway.api.infer_settings import (
    InferSettings,
    decode_classes,
    decode_settings,
    refuse_shared_inputs,
)
from services.inference_gateway.api.tensors import decode_columns, encode_output
from services.inference_gateway.domain.batch import Batch, Protocol, all_at
from services.inference_gateway.domain.classification import top_classes
from services.inference_gateway.domain.signature import DataType, Signature
from services.inference_gateway.engine.admission import Admitted
from services.inference_gateway.engine.ask import Part
from services.inference_gateway.engine.status import Status
from slipway.clock import Clock
from slipway.errors import invalid_field
from slipway.gen.inference import inference_pb2 as pb
from slipway.rpc import deadline


class Infer:
    """Answers requests; each is logged as every prediction is."""

    def __init__(self, predict: Admitted, status: Status, clock: Clock) -> None:
        self._predict = predict
        self._status = status
        self._clock = clock

    async def answer(self, request: pb.ModelInferRequest, caller: Caller) -> pb.ModelInferResponse:
        """The answer to a batch of feature columns.

        Raises InvalidInput, EndpointNotFound, NotReady, VersionNotServed, QueueFull, ModelFailed, WorkerDied, and
        DeadlineExceeded when the request's own time-out is over.
        """
        settings = decode_settings(request.parameters)
        if settings.timeout_s is None:
            return await self._answer(request, caller, settings)
        async with deadline.Bound(settings.timeout_s):
            return await self._answer(request, caller, settings)

    async def _answer(
        self, request: pb.ModelInferRequest, caller: Caller, settings: InferSettings
    ) -> pb.ModelInferResponse:
        signature = self._status.takes(named(request.model_name, "model_name"), request.model_version)
        wanted = _wanted(request, signature)
        refuse_shared_inputs(request.inputs)
        columns, rows = decode_columns(request, signature)
        now = int(self._clock.now().timestamp() * 1e6)
        batch = Batch(
            endpoint=request.model_name,
            rows=rows,
            ids=(),
            event_times_us=all_at(now, rows),
            timed=False,
            entity_keys=(),
            features=columns,
            protocol=Protocol.OPEN_INFERENCE,
            trace_id=caller.trace_id,
            tenant=caller.principal,
            priority=settings.priority,
            deadline_s=deadline.ends_at(),
        )
        answer = await self._predict.by_one(batch, request.model_version)
        return _encode(request, answer, wanted)


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


def _encode(request: pb.ModelInferRequest, answer: Part, wanted: dict[str, int]) -> pb.ModelInferResponse:
    response = pb.ModelInferResponse(model_name=request.model_name, model_version=str(answer.version), id=request.id)
    # Labels join on "<this>.<row>"; the protocol itself has no place for an id a row.
    response.parameters["slipway_prediction_id"].string_param = answer.ids[0].rpartition(".")[0]
    response.parameters["slipway_route"].string_param = answer.route
    if answer.answer.fallback:
        response.parameters["slipway_fallback"].bool_param = True
    outputs = answer.outputs
    for name, classes in wanted.items():
        array = outputs[name]
        encode_output(response, name, top_classes(array, classes) if classes else array)
    return response
