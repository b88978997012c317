"""The log's records of answers, and what they tell of rows that may be asked about again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from services.inference_gateway.codec.logged_columns import feature_fields, fill, output_fields
from services.inference_gateway.codec.logged_requests import latency_fields, request_fields
from services.inference_gateway.domain.answer import Answer, Draft, Prediction, ages_by_row
from services.inference_gateway.domain.batch import Protocol
from services.inference_gateway.domain.packed import head, varint
from services.inference_gateway.ports import Remembered
from slipway.gen.slipway.inference.v1 import events_pb2

_PROTOCOLS = {
    Protocol.PREDICT: events_pb2.PROTOCOL_PREDICT,
    Protocol.OPEN_INFERENCE: events_pb2.PROTOCOL_OPEN_INFERENCE,
}
_ANSWER_TIME, _MORE = 8, 25  # fields of a PredictionBatch


def encode_batch(answer: Answer, now_us: int, gateway_id: str) -> tuple[bytes, bytes]:
    """The log's record of an answer, a serialized ``PredictionBatch``: its draft, and what the answer adds.

    ``now_us`` is when it was answered, microseconds since 1970 UTC.
    """
    draft = answer.draft or encode_draft(answer, gateway_id)
    return draft, b"".join([_moment(now_us), *latency_fields(answer), *output_fields(answer.outputs)])


def encode_draft(answer: Answer, gateway_id: str) -> Draft:
    """What of the record is known before the model has answered: who asked whom and what, and the features."""
    batch = answer.batch
    same = _same(
        *(batch.endpoint, answer.model, answer.version, answer.route, batch.protocol),
        *(gateway_id, answer.shadow, answer.experiment, answer.fallback),
    )
    fields = [same, *request_fields(answer)]
    if batch.entity_keys or answer.view_times or answer.degraded or answer.fallbacks:
        fields.append(_read(answer))
    fields += feature_fields(answer.features)
    return b"".join(fields)


def together(first: Sequence[bytes], others: Sequence[Sequence[bytes]]) -> bytes:
    """One record of several, each in pieces: the first one, which brings the others."""
    pieces = [*first]
    for one in others:
        pieces += (head(_MORE, sum(map(len, one))), *one)
    return b"".join(pieces)


def _read(answer: Answer) -> bytes:
    """The keys, and what was read by them."""
    message = events_pb2.PredictionBatch(degraded_rows=answer.degraded)
    for view, times in answer.view_times.items():
        message.view_times.add(view=view, event_times_us=times.tolist())
    for name, taken in answer.fallbacks.items():
        message.feature_fallbacks.add(name=name, rows=taken.tolist())
    for column in answer.batch.entity_keys:
        fill(message.entity_keys.add(name=column.name), column.values, column.absent)
    return message.SerializeToString()


@lru_cache(maxsize=1024)
def _same(  # noqa: PLR0917  (the key of the cache, which is quickest by place)
    endpoint: str,
    model: str,
    version: int,
    route: str,
    protocol: Protocol,
    gateway_id: str,
    shadow: bool,
    experiment: str,
    fallback: bool,
) -> bytes:
    """What one record of an arm has as any other has it."""
    return events_pb2.PredictionBatch(
        endpoint=endpoint,
        model=model,
        version=version,
        route=route,
        protocol=_PROTOCOLS[protocol],
        gateway_id=gateway_id,
        shadow=shadow,
        experiment=experiment,
        fallback=fallback,
    ).SerializeToString()


def _moment(now_us: int) -> bytes:
    """When it was answered, a ``Timestamp``."""
    seconds, us = divmod(now_us, 1_000_000)
    ns = us * 1000
    # As many bytes as the largest number takes, so that what stands before them is the same for a second.
    return _second(seconds) + bytes(
        [ns & 127 | 128, ns >> 7 & 127 | 128, ns >> 14 & 127 | 128, ns >> 21 & 127 | 128, ns >> 28]
    )


@lru_cache(maxsize=4)
def _second(seconds: int) -> bytes:
    """What stands before the five bytes of the nanoseconds."""
    before = b"\x08" + varint(seconds) + b"\x10"
    return head(_ANSWER_TIME, len(before) + 5) + before


def decode_remembered(value: bytes) -> Iterator[Remembered]:
    """The rows of a logged batch that a retry may ask for again: those with a digest."""
    message = events_pb2.PredictionBatch.FromString(value)
    if not any(message.input_digests):
        return
    moments = np.array(list(message.event_times_us), dtype=np.int64)
    told = {one.view: np.array(list(one.event_times_us), dtype=np.int64) for one in message.view_times}
    ages, degraded = ages_by_row(moments, told), set(message.degraded_rows)
    for row, digest in enumerate(message.input_digests):
        if not digest:
            continue
        outputs: dict[str, tuple[float, ...] | tuple[str, ...]] = {}
        for tensor in message.outputs:
            span = slice(row * tensor.width, (row + 1) * tensor.width)
            outputs[tensor.name] = tuple(tensor.texts[span]) if tensor.texts else tuple(tensor.values[span])
        prediction = Prediction(
            message.prediction_ids[row],
            outputs,
            message.model,
            message.version,
            message.route,
            feature_ages=ages[row],
            degraded=row in degraded,
            fallback=message.fallback,
        )
        yield Remembered(prediction, digest)
