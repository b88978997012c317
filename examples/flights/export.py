"""One ONNX file from columns to answer: nothing has to be encoded outside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pandas as pd
from onnx import NodeProto, TensorProto, ValueInfoProto, helper

from examples.flights.columns import UNKNOWN_CODE, Column, encode
from examples.flights.trees import ensemble
from slipway.errors import invalid_field

if TYPE_CHECKING:
    import lightgbm

OUTPUT = "probability"
MATRIX = "/matrix"  # every column's number, [N, columns]
OPSET = 17
_OPSETS = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 3)]
_IR_VERSION = 8


def to_onnx(booster: lightgbm.Booster, columns: Sequence[Column], *, output: str = OUTPUT) -> bytes:
    """A checked ONNX model: one input a column, in order, and one ``output``, a float [N, 1].

    A category is a string [N, 1], missing as empty text, a number a float [N, 1], missing as NaN. The same
    booster and columns give the same bytes. ``columns`` are those of the matrix that trained the booster
    (:func:`examples.flights.columns.encode`); fails with InvalidInput when their number differs or a name
    is taken twice.
    """
    names = [column.name for column in columns]
    if booster.num_feature() != len(columns):
        raise invalid_field("columns", f"{len(columns)} given; the booster was trained on {booster.num_feature()}")
    if len({*names, output}) != len(names) + 1:
        raise invalid_field("columns", "each column, and the output, needs a name of its own")
    return assemble(columns, ensemble(booster, MATRIX, output), name="lightgbm", output=output)


def assemble(
    columns: Sequence[Column],
    body: Sequence[NodeProto],
    initializers: Sequence[TensorProto] = (),
    *,
    name: str,
    output: str = OUTPUT,
) -> bytes:
    """A checked ONNX model of ``body``, nodes that turn ``MATRIX`` (what ``encode`` gives) into ``output``."""
    encoders = [_encoder(column) for column in columns if column.vocabulary is not None]
    codes = [column.name if column.vocabulary is None else f"{column.name}/code" for column in columns]
    graph = helper.make_graph(
        [*encoders, helper.make_node("Concat", codes, [MATRIX], axis=1), *body],
        name,
        [_input(column) for column in columns],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", 1])],
        list(initializers),
    )
    model = helper.make_model(graph, opset_imports=_OPSETS, ir_version=_IR_VERSION, producer_name="slipway")
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))


def feeds(table: pd.DataFrame, columns: Sequence[Column]) -> dict[str, npt.NDArray[np.generic]]:
    """A table as the exported model's inputs."""
    inputs: dict[str, npt.NDArray[np.generic]] = {}
    for column in columns:
        values = table[column.name]
        if column.vocabulary is None:
            flat = values.to_numpy(dtype=np.float32, na_value=np.nan)
        else:
            flat = values.astype(object).where(values.notna(), "").to_numpy(dtype=object)
        inputs[column.name] = flat.reshape(-1, 1)
    return inputs


def score(model: bytes, table: pd.DataFrame, columns: Sequence[Column]) -> npt.NDArray[np.float32]:
    """The exported model's answers on the CPU, [rows]."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (answers,) = session.run(None, feeds(table, columns))
    return np.asarray(answers, dtype=np.float32).reshape(-1)


def largest_difference(
    booster: lightgbm.Booster, model: bytes, table: pd.DataFrame, columns: Sequence[Column]
) -> float:
    """How far the exported model's answers are from the booster's own, at worst."""
    own = np.asarray(booster.predict(encode(table, columns), num_threads=1))
    return float(np.max(np.abs(own - score(model, table, columns)), initial=0.0))


def _input(column: Column) -> ValueInfoProto:
    kind = TensorProto.FLOAT if column.vocabulary is None else TensorProto.STRING
    return helper.make_tensor_value_info(column.name, kind, ["N", 1])


def _encoder(column: Column) -> NodeProto:
    # An encoder needs a key: missing text stands in for an empty vocabulary.
    vocabulary = column.vocabulary or ("",)
    first = UNKNOWN_CODE + 1 if column.vocabulary else UNKNOWN_CODE
    return helper.make_node(
        "LabelEncoder",
        [column.name],
        [f"{column.name}/code"],
        domain="ai.onnx.ml",
        keys_strings=list(vocabulary),
        values_floats=[float(first + place) for place in range(len(vocabulary))],
        default_float=float(UNKNOWN_CODE),
    )
