"""The gateway's messages, and the request of a prediction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from slipway.client.codec.scalars import Names, moment, text, timestamp
from slipway.client.types.inference import (
    Answered,
    EndpointStatus,
    Prediction,
    PredictionLog,
    RouteStatus,
    ServedEndpoints,
    TenantStatus,
    VersionState,
)
from slipway.errors import FieldViolation, Kind, SlipwayError, invalid_field
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import resources_pb2 as res
from slipway.rpc import status

T = TypeVar("T")
_KINDS = {code.value[0]: kind for kind, code in status.CODES.items()}
_STATES = Names(res.VersionState, "VERSION_STATE_", VersionState)


def predict_request(
    endpoint: str,
    features: Sequence[res.Column],
    row_count: int,
    *,
    entity_keys: Sequence[res.Column] = (),
    prediction_ids: Sequence[str] | None = None,
    event_times: Sequence[datetime] | datetime | None = None,
    priority: int = 0,
    explain: bool = False,
) -> pb.PredictRequest:
    """Put a request together; refuses ids and times that are not one a row, and a priority that is none."""
    if not 0 <= priority < 2**32:
        raise invalid_field(
            "priority", f"is {priority!r}; give 1, the most urgent, to 4,294,967,295, or 0 for the default"
        )
    moments = [event_times] if isinstance(event_times, datetime) else _listed(event_times)
    ids = _listed(prediction_ids)
    if len(moments) not in {0, 1, row_count}:
        raise invalid_field("event_times", f"has {len(moments)} for {row_count} rows; give one, or one a row")
    if isinstance(prediction_ids, str):
        raise invalid_field("prediction_ids", "is a str; give a list with one id a row")
    if len(ids) not in {0, row_count}:
        raise invalid_field("prediction_ids", f"has {len(ids)} for {row_count} rows; give one a row")
    return pb.PredictRequest(
        endpoint=text("endpoint", endpoint),
        prediction_ids=[text(f"prediction_ids[{n}]", one) for n, one in enumerate(ids)],
        event_times=[timestamp(f"event_times[{n}]", one) for n, one in enumerate(moments)],  # type: ignore[misc]
        entity_keys=entity_keys,
        features=features,
        priority=priority,
        explain=explain,
    )


def _listed(values: Sequence[T] | None) -> list[T]:
    return [] if values is None else list(values)


def encode_prediction(prediction: Prediction) -> res.Prediction:
    """Encode an answer."""
    made = res.Prediction(
        prediction_id=prediction.prediction_id,
        model=prediction.model,
        version=prediction.version,
        route=prediction.route,
        replayed=prediction.replayed,
        degraded=prediction.degraded,
        fallback=prediction.fallback,
    )
    for view, age_s in prediction.feature_ages.items():
        made.feature_ages.add(view=view, age_s=age_s)
    for name, elements in prediction.outputs.items():
        output = made.outputs.add(name=name)
        for element in elements:
            if isinstance(element, str):
                output.texts.append(element)
            else:
                output.values.append(element)
    return made


def decode_prediction(message: res.Prediction) -> Prediction:
    """Decode an answer."""
    return Prediction(
        prediction_id=message.prediction_id,
        outputs={one.name: tuple(one.texts) if len(one.texts) else tuple(one.values) for one in message.outputs},
        model=message.model,
        version=message.version,
        route=message.route,
        replayed=message.replayed,
        feature_ages={one.view: one.age_s if one.HasField("age_s") else None for one in message.feature_ages},
        degraded=message.degraded,
        fallback=message.fallback,
        attributions={one.column: tuple(one.values) for one in message.attributions},
    )


def decode_answered(message: pb.StreamPredictResponse) -> Answered:
    """Decode what became of one request of a stream."""
    if message.HasField("error"):
        return Answered(message.correlation_id, error=_decode_error(message.error))
    answers = tuple(decode_prediction(one) for one in message.response.predictions)
    return Answered(message.correlation_id, answers)


def _decode_error(message: res.PredictError) -> SlipwayError:
    return SlipwayError.rebuild(
        _KINDS.get(message.code, Kind.INTERNAL),
        message.reason,
        message.message,
        facts=dict(message.facts),
        violations=[FieldViolation(one.field, one.description) for one in message.field_violations],
        retry_after_s=message.retry_after_s if message.HasField("retry_after_s") else None,
    )


def decode_endpoints(message: pb.ListEndpointsResponse) -> ServedEndpoints:
    """Decode the endpoints of a gateway."""
    return ServedEndpoints(tuple(_decode_endpoint(one) for one in message.endpoints), message.registry_connected)


def _decode_endpoint(message: res.EndpointStatus) -> EndpointStatus:
    return EndpointStatus(
        name=message.name,
        revision=message.revision,
        routes=tuple(_decode_route(one) for one in message.routes),
        update_time=moment(message, "update_time"),
    )


def _decode_route(message: res.RouteStatus) -> RouteStatus:
    return RouteStatus(
        name=message.name,
        model=message.model,
        desired_version=message.desired_version,
        serving_version=message.serving_version,
        weight=message.weight,
        state=_STATES.name(message.state),
        reason=message.reason,
        provider=message.provider,
        worker_pid=message.worker_pid,
        shadow=message.shadow,
        disabled_reason=message.disabled_reason,
    )


def decode_log(message: pb.GetPredictionLogResponse) -> PredictionLog:
    """Decode how the prediction log's spool stands."""
    return PredictionLog(
        pending_batches=message.pending_batches,
        pending_bytes=message.pending_bytes,
        limit_bytes=message.limit_bytes,
        dropped_predictions=message.dropped_predictions,
    )


def decode_tenant(message: res.TenantStatus) -> TenantStatus:
    """Decode how a tenant stands."""
    return TenantStatus(
        name=message.name,
        weight=message.weight,
        rows_per_s=message.rows_per_second if message.HasField("rows_per_second") else None,
        burst_rows=message.burst_rows if message.HasField("burst_rows") else None,
        max_in_flight=message.max_in_flight if message.HasField("max_in_flight") else None,
        in_flight=message.in_flight,
        admitted_requests=message.admitted_requests,
        admitted_rows=message.admitted_rows,
        refused_requests=message.refused_requests,
        operator=message.operator,
    )
