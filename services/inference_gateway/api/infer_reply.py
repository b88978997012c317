"""An answer's message, and its bytes: what all answers of a version say alike is written once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from services.inference_gateway.api.infer_forms import Asked
from services.inference_gateway.api.tensors import encode_output
from services.inference_gateway.domain.classification import top_classes
from services.inference_gateway.domain.packed import head
from services.inference_gateway.domain.tensors import kind_of, pack_raw
from services.inference_gateway.engine.ask import Part
from services.inference_gateway.engine.bundle import Outcome
from slipway.gen.inference import inference_pb2 as pb

_PREDICTION, _ROUTE, _FALLBACK = "slipway_prediction_id", "slipway_route", "slipway_fallback"
_ID, _PARAMETERS, _OUTPUTS, _RAW = 3, 4, 5, 6  # fields of a ModelInferResponse
_KEY, _VALUE = 1, 2  # of a map's entry
_STRING = 3  # of an InferParameter


def encode_infer(asked: Asked, answer: Part) -> pb.ModelInferResponse:
    """The answer as a message."""
    response = pb.ModelInferResponse(model_name=asked.endpoint, model_version=str(answer.version), id=asked.id)
    response.parameters[_PREDICTION].string_param = _stem(answer)
    response.parameters[_ROUTE].string_param = answer.route
    if answer.answer.fallback:
        response.parameters[_FALLBACK].bool_param = True
    outputs = answer.outputs
    for name, classes in asked.wanted.items():
        array = outputs[name]
        encode_output(response, name, top_classes(array, classes) if classes else array)
    return response


def infer_bytes(asked: Asked, answer: Part) -> bytes:
    """The same as bytes: some of its fields are written by hand, which may stand in any order."""
    told = answer.answer
    if told.fallback or any(asked.wanted.values()):
        return encode_infer(asked, answer).SerializeToString()
    pieces = [_same(asked.endpoint, told.version, told.route), *_prediction(_stem(answer))]
    if asked.id:
        caller_id = asked.id.encode()
        pieces += (head(_ID, len(caller_id)), caller_id)
    for name in asked.wanted:
        array = told.outputs[name][answer.start : answer.end]
        kind = kind_of(array)
        data = pack_raw(kind, array)
        pieces += (_output(name, kind, array.shape), head(_RAW, len(data)), data)
    return b"".join(pieces)


def infer_bytes_of_each(asked: Asked, outcomes: Sequence[Outcome]) -> list[bytes | BaseException]:
    """The same of requests that are alike: what their answers have in common is written once."""
    first = outcomes[0]
    if len(outcomes) == 1 or isinstance(first, BaseException) or not _are_alike(asked, first[0], outcomes):
        return [_encoded(asked, one) for one in outcomes]
    [part] = first
    told, rows = part.answer, part.end - part.start
    same = _same(asked.endpoint, told.version, told.route)
    columns = []
    for name in asked.wanted:
        array = told.outputs[name][part.start : part.start + rows * len(outcomes)]
        kind = kind_of(array)
        data = pack_raw(kind, array)
        size = len(data) // len(array) * rows
        columns.append((_output(name, kind, (rows, *array.shape[1:])) + head(_RAW, size), data, size))
    found: list[bytes | BaseException] = []
    ids = told.ids[part.start :: rows]
    for number in range(len(outcomes)):
        pieces = [same, *_prediction(ids[number].rpartition(".")[0])]
        for before, data, size in columns:
            pieces += (before, data[number * size : number * size + size])
        found.append(b"".join(pieces))
    return found


def _encoded(asked: Asked, outcome: Outcome) -> bytes | BaseException:
    if isinstance(outcome, BaseException):
        return outcome
    try:
        return infer_bytes(asked, outcome[0])
    except Exception as defect:
        return defect  # of this answer, and of no other


def _are_alike(asked: Asked, first: Part, outcomes: Sequence[Outcome]) -> bool:
    """Whether the answers follow each other in one answer, with as many bytes a row."""
    answer, rows = first.answer, first.end - first.start
    if answer.fallback or any(asked.wanted.values()):
        return False
    if any([kind_of(answer.outputs[name]) == "BYTES" for name in asked.wanted]):  # noqa: C419
        return False
    return all(
        not isinstance(one, BaseException) and one[0].answer is answer and one[0].start == first.start + number * rows
        for number, one in enumerate(outcomes)
    )


def _stem(answer: Part) -> str:
    # Labels join on "<this>.<row>"; the protocol itself has no place for an id a row.
    return answer.answer.ids[answer.start].rpartition(".")[0]


def _prediction(stem: str) -> tuple[bytes, ...]:
    text = stem.encode()
    value = head(_STRING, len(text))
    size = len(value) + len(text)
    before = _KEYS + head(_VALUE, size) + value
    return head(_PARAMETERS, len(before) + len(text)), before, text


_KEYS = head(_KEY, len(_PREDICTION)) + _PREDICTION.encode()


@lru_cache(maxsize=1024)
def _same(endpoint: str, version: int, route: str) -> bytes:
    response = pb.ModelInferResponse(model_name=endpoint, model_version=str(version))
    response.parameters[_ROUTE].string_param = route
    return response.SerializeToString()


@lru_cache(maxsize=4096)
def _output(name: str, kind: str, shape: tuple[int, ...]) -> bytes:
    tensor = pb.ModelInferResponse.InferOutputTensor(name=name, datatype=kind, shape=shape).SerializeToString()
    return head(_OUTPUTS, len(tensor)) + tensor
