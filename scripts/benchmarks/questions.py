"""What the servers are asked, as bytes, and whether what they say is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import grpc
import numpy as np

from scripts.benchmarks.models import Matrix, Model
from slipway.client import ColumnSpec, DataType, Feature, FeatureView, Signature, TensorSpec, ValueType
from slipway.gen.inference import inference_pb2 as open_pb
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb

MODEL_INFER = "/inference.GRPCInferenceService/ModelInfer"
PREDICT = "/slipway.inference.v1.InferenceService/Predict"
VIEW, ENTITY = "bench", "caller"


class WrongAnswer(Exception):
    """A server does not say what ONNX Runtime says."""


@dataclass(frozen=True)
class Question:
    """One unary call: a serialised request, and how its reply reads, [rows, outputs]."""

    method: str
    body: bytes
    read: Callable[[bytes, Model], Matrix]

    def check(self, address: str, model: Model, rows: int, patience_s: float = 10.0) -> None:
        """Ask once, as a client does. Raises WrongAnswer, or grpc.RpcError."""
        with grpc.insecure_channel(address) as channel:
            reply = channel.unary_unary(self.method, None, None)(self.body, timeout=patience_s, wait_for_ready=True)
        found, expected = self.read(reply, model), model.answers(rows)
        if found.shape != expected.shape or not np.allclose(found, expected, rtol=1e-4, atol=1e-5):
            raise WrongAnswer(f"{address}{self.method} about {rows} rows of {model.name}: {found} is not {expected}")


def model_infer(model: Model, rows: int) -> Question:
    """The rows as one raw tensor."""
    return _model_infer(model, rows, model.name)


def model_infer_canary(model: Model, rows: int) -> Question:
    """The same of an endpoint with two arms."""
    return _model_infer(model, rows, canary(model))


def _model_infer(model: Model, rows: int, endpoint: str) -> Question:
    request = open_pb.ModelInferRequest(model_name=endpoint)
    request.inputs.add(name="x", datatype="FP32", shape=[rows, model.width])
    request.raw_input_contents.append(model.rows(rows).tobytes())
    return Question(MODEL_INFER, request.SerializeToString(), _read_infer)


def predict(model: Model, rows: int) -> Question:
    """The rows as one column of vectors."""
    request = pb.PredictRequest(endpoint=model.name)
    column = request.features.add(name="x", width=model.width)
    column.floats.values.extend(model.rows(rows).ravel().tolist())
    return Question(PREDICT, request.SerializeToString(), _read_predict)


def predict_columns(model: Model, rows: int) -> Question:
    """The rows as columns of numbers, in the request."""
    request = pb.PredictRequest(endpoint=reading(model))
    _name_entities(request, rows)
    for name, values in zip(column_names(model), model.rows(rows).T.tolist(), strict=True):
        request.features.add(name=name).doubles.values.extend(values)
    return Question(PREDICT, request.SerializeToString(), _read_predict)


def predict_keys(model: Model, rows: int) -> Question:
    """The rows by their entities alone: every column is read from feature serving."""
    request = pb.PredictRequest(endpoint=reading(model))
    _name_entities(request, rows)
    return Question(PREDICT, request.SerializeToString(), _read_predict)


def _name_entities(request: pb.PredictRequest, rows: int) -> None:
    request.entity_keys.add(name=ENTITY).strings.values.extend(entities(rows))


def _read_infer(reply: bytes, model: Model) -> Matrix:
    response = open_pb.ModelInferResponse.FromString(reply)
    [tensor] = response.outputs
    if response.raw_output_contents:
        return np.frombuffer(response.raw_output_contents[0], np.float32).reshape(tensor.shape)
    return np.array(tensor.contents.fp32_contents, np.float32).reshape(tensor.shape)


def _read_predict(reply: bytes, model: Model) -> Matrix:
    response = pb.PredictResponse.FromString(reply)
    return np.array([one.outputs[0].values for one in response.predictions], np.float32)


def signature(model: Model) -> Signature:
    """One column of vectors."""
    column = ColumnSpec("x", DataType.FP32, shape=(model.width,))
    return Signature((column,), (TensorSpec("p", DataType.FP32, (-1, model.outputs)),))


def reading_signature(model: Model) -> Signature:
    """Each number a column of its own, and a feature of :func:`view`."""
    columns = [ColumnSpec(name, DataType.FP32, feature=f"{VIEW}:{name}") for name in column_names(model)]
    outputs = (TensorSpec("p", DataType.FP32, (-1, model.outputs)),)
    return Signature(tuple(columns), outputs, (ColumnSpec(ENTITY, DataType.BYTES),))


def view(model: Model) -> FeatureView:
    """The model's columns as features of an entity."""
    features = tuple(Feature(name, ValueType.FLOAT) for name in column_names(model))
    return FeatureView(name=VIEW, owner="bench", entities=(ENTITY,), features=features)


def feature_rows(model: Model, rows: int) -> list[dict[str, float]]:
    """The rows as the feature store takes them, in the order of :func:`entities`."""
    names = column_names(model)
    return [dict(zip(names, row, strict=True)) for row in model.rows(rows).tolist()]


def canary(model: Model) -> str:
    """The endpoint with a canary beside the version that answers most."""
    return f"{model.name}-canary"


def reading(model: Model) -> str:
    """The endpoint whose columns are features."""
    return f"{model.name}-features"


def column_names(model: Model) -> list[str]:
    """A name for each number of a row."""
    return [f"f{place}" for place in range(model.width)]


def entities(rows: int) -> list[str]:
    """A caller for each row."""
    return [f"c{row}" for row in range(rows)]
