"""Answers as messages, and as bytes: what all rows of a version say alike is written once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat

from services.inference_gateway.domain.answer import Answer, AnsweredRows, Prediction
from services.inference_gateway.domain.columns import Array, width
from services.inference_gateway.domain.packed import doubles, head
from slipway.gen.slipway.inference.v1 import inference_pb2, resources_pb2

_PREDICTIONS = 1  # field of a PredictResponse
_ID, _OUTPUTS, _AGES = 1, 2, 7  # of a Prediction
_OUTPUT_VALUES = 2  # of an Output
_AGE = b"\x11"  # tag of a FeatureAge's seconds, a double
_DOUBLE = 8  # bytes


def encode_predictions(predictions: Sequence[Prediction]) -> inference_pb2.PredictResponse:
    """The response of a batch."""
    response = inference_pb2.PredictResponse()
    for one in predictions:
        entry = response.predictions.add(
            prediction_id=one.prediction_id,
            model=one.model,
            version=one.version,
            route=one.route,
            replayed=one.replayed,
            degraded=one.degraded,
            fallback=one.fallback,
        )
        for column, did in one.attributions:
            entry.attributions.add(column=column, values=did)
        for view, age_s in one.feature_ages:
            entry.feature_ages.add(view=view, age_s=age_s)
        for name, values in one.outputs.items():
            if values and isinstance(values[0], str):
                entry.outputs.add(name=name, texts=[str(value) for value in values])
            else:
                entry.outputs.add(name=name, values=[float(value) for value in values])
    return response


def prediction_bytes(predictions: Sequence[Prediction]) -> bytes:
    """The same as bytes, whose fields may stand in another order."""
    if isinstance(predictions, AnsweredRows) and _is_plain(predictions.answer):
        answer = predictions.answer
        if not answer.encoded:
            answer.encoded = _rows(answer)  # of all callers at once
        return b"".join(answer.encoded[predictions.start : predictions.end])
    return encode_predictions(predictions).SerializeToString()


def _is_plain(answer: Answer) -> bool:
    """Whether the rows say nothing but numbers, each with all of its features."""
    return not answer.degraded and all([array.dtype.kind in "fiub" for array in answer.outputs.values()])  # noqa: C419


def _rows(answer: Answer) -> list[bytes]:
    """Each row's prediction, as a field of the response."""
    texts = [one.encode() for one in answer.ids]
    columns: list[Iterable[bytes]] = [
        [head(_ID, len(text)) + text for text in texts],
        repeat(_same(answer.model, answer.version, answer.route, answer.fallback)),
    ]
    columns += [_output(name, array) for name, array in answer.outputs.items()]
    if answer.view_times:
        moments = answer.batch.event_times_us
        columns += [_ages(view, moments, times) for view, times in answer.view_times.items()]
    made = [b"".join(parts) for parts in zip(*columns)]  # noqa: B905  (one of them has no end)
    return [head(_PREDICTIONS, len(one)) + one for one in made]


@lru_cache(maxsize=1024)
def _same(model: str, version: int, route: str, fallback: bool) -> bytes:
    return resources_pb2.Prediction(model=model, version=version, route=route, fallback=fallback).SerializeToString()


def _output(name: str, array: Array) -> Iterable[bytes]:
    size = width(array) * _DOUBLE
    before = _output_head(name, size)
    if not size:
        return repeat(before)
    data = doubles(array)
    return [before + data[at : at + size] for at in range(0, len(data), size)]


@lru_cache(maxsize=4096)
def _output_head(name: str, size: int) -> bytes:
    before = resources_pb2.Output(name=name).SerializeToString()
    if size:
        before += head(_OUTPUT_VALUES, size)
    return head(_OUTPUTS, len(before) + size) + before


def _ages(view: str, moments_us: Array, told_us: Array) -> list[bytes]:
    untold = resources_pb2.FeatureAge(view=view).SerializeToString()
    before = head(_AGES, len(untold) + len(_AGE) + _DOUBLE) + untold + _AGE
    without = head(_AGES, len(untold)) + untold
    data = doubles((moments_us - told_us) / 1e6)
    return [
        before + data[row * _DOUBLE : (row + 1) * _DOUBLE] if told else without
        for row, told in enumerate(told_us.tolist())
    ]
