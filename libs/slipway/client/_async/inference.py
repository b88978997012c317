"""Predictions from the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from slipway.client._async.transport import AsyncStream, AsyncStub
from slipway.client.codec import columns as shape
from slipway.client.codec import inference as codec
from slipway.client.codec.statistics import decode_statistics
from slipway.client.types.inference import (
    Answered,
    Prediction,
    PredictionLog,
    Question,
    Scalar,
    ServedEndpoints,
    TenantStatus,
    Value,
)
from slipway.client.types.statistics import GatewayStatistics
from slipway.errors import invalid_field
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb

Times = Sequence[datetime] | datetime | None


class Inference:
    """The gateway."""

    def __init__(self, stub: AsyncStub) -> None:
        self._stub = stub

    async def predict(
        self,
        endpoint: str,
        rows: Sequence[Mapping[str, Value]] | None = None,
        *,
        entity_keys: Sequence[Mapping[str, Scalar]] | None = None,
        prediction_ids: Sequence[str] | None = None,
        event_times: Times = None,
        priority: int = 0,
        explain: bool = False,
        timeout_s: float | None = None,
    ) -> list[Prediction]:
        """One answer a row, in order.

        A row maps feature columns to values, or to vectors; None or a missing name is absent. ``entity_keys`` says
        what each row is about: columns that name a feature and are in no row are read online by these keys, so that
        without ``rows`` the keys alone ask. ``event_times`` is the moment each row asks about: one a row, one for all,
        or None for now. With ``prediction_ids`` a call that broke is tried again, for a row answered before gets
        that answer. Of what waits at a busy gateway, the lowest ``priority`` comes first, 1 before all; 0 stands for
        65,536.
        With ``explain`` every answer says what each column did to it (``attributions``); FAILED_PRECONDITION: the
        version has no baseline.
        INVALID_ARGUMENT names the column; NOT_FOUND: no such endpoint; ALREADY_EXISTS: an id with other input.
        """
        request = _request(
            endpoint, Question(rows, entity_keys, prediction_ids, event_times, priority=priority, explain=explain)
        )
        return await self._predict(request, timeout_s)

    async def predict_columns(
        self,
        endpoint: str,
        columns: Mapping[str, Sequence[Any]] | None = None,
        *,
        entity_keys: Mapping[str, Sequence[Any]] | None = None,
        prediction_ids: Sequence[str] | None = None,
        event_times: Times = None,
        priority: int = 0,
        explain: bool = False,
        timeout_s: float | None = None,
    ) -> list[Prediction]:
        """As :meth:`predict`, from columns of one length: lists, tuples, or arrays of numpy or pandas.

        A column of vectors is a list of them, or an array [rows, …].
        """
        features = shape.from_columns({} if columns is None else columns)
        keys = [] if entity_keys is None else shape.from_columns(entity_keys, "entity_keys", keep=True)
        row_count = shape.row_count(features, keys)
        request = codec.predict_request(
            endpoint,
            features,
            row_count,
            entity_keys=keys,
            prediction_ids=prediction_ids,
            event_times=event_times,
            priority=priority,
            explain=explain,
        )
        return await self._predict(request, timeout_s)

    def stream_predict(self, endpoint: str, questions: AsyncIterable[Question]) -> AsyncStream[Answered]:
        """What became of each question, as soon as it is known, which may be before that of an earlier one.

        Many are under way at once; as long as too many are, or answers are not taken, no more are read from
        ``questions``. One that ``predict`` would refuse is answered with its error, and the others go on. What the
        stream itself ends by is raised, and what ``questions`` raises. Close it, or use it in a ``with`` block.
        """
        return self._stub.exchange(
            "StreamPredict", _requests(endpoint, questions), pb.StreamPredictResponse, codec.decode_answered
        )

    async def endpoints(self) -> ServedEndpoints:
        """The endpoints as they run in this gateway, by name."""
        return codec.decode_endpoints(
            await self._stub.unary("ListEndpoints", pb.ListEndpointsRequest(), pb.ListEndpointsResponse)
        )

    async def prediction_log(self) -> PredictionLog:
        """How the prediction log's spool stands."""
        request = pb.GetPredictionLogRequest()
        return codec.decode_log(await self._stub.unary("GetPredictionLog", request, pb.GetPredictionLogResponse))

    async def statistics(self) -> GatewayStatistics:
        """What the gateway answered since it started, how long it took, and what waits now; for operators.

        Two looks make rates and quantiles of the time between, by :meth:`Distribution.since`.
        UNAUTHENTICATED, PERMISSION_DENIED: the token is not an operator's.
        """
        request = pb.GetStatisticsRequest()
        return decode_statistics(await self._stub.unary("GetStatistics", request, pb.GetStatisticsResponse))

    async def tenants(self) -> list[TenantStatus]:
        """The tenants that may ask in this gateway, by name; for operators.

        UNAUTHENTICATED, PERMISSION_DENIED: the token is not an operator's.
        """
        request = pb.ListTenantsRequest()
        answer = await self._stub.unary("ListTenants", request, pb.ListTenantsResponse)
        return [codec.decode_tenant(one) for one in answer.tenants]

    async def _predict(self, request: pb.PredictRequest, timeout_s: float | None) -> list[Prediction]:
        keyed = bool(request.prediction_ids)
        answer = await self._stub.unary("Predict", request, pb.PredictResponse, timeout_s=timeout_s, keyed=keyed)
        return [codec.decode_prediction(one) for one in answer.predictions]


def _request(endpoint: str, question: Question) -> pb.PredictRequest:
    entity_keys = question.entity_keys
    rows = [{}] * len(entity_keys or ()) if question.rows is None else question.rows
    keys = [] if entity_keys is None else shape.from_rows(entity_keys, "entity_keys", keep=True)
    if entity_keys is not None and len(entity_keys) != len(rows):
        raise invalid_field("entity_keys", f"has {len(entity_keys)} for {len(rows)} rows; give one a row")
    return codec.predict_request(
        endpoint,
        shape.from_rows(rows),
        len(rows),
        entity_keys=keys,
        prediction_ids=question.prediction_ids,
        event_times=question.event_times,
        priority=question.priority,
        explain=question.explain,
    )


async def _requests(endpoint: str, questions: AsyncIterable[Question]) -> AsyncIterator[pb.StreamPredictRequest]:
    async for question in questions:
        yield pb.StreamPredictRequest(correlation_id=question.correlation_id, request=_request(endpoint, question))
