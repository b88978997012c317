"""Small ONNX models, each the bytes of a file. Taken through the fixture ``onnx_models``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

FLOAT, DOUBLE, STRING = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.STRING
INT32, INT64, BOOL, FLOAT16 = TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL, TensorProto.FLOAT16
Shape = Sequence[int | str | None]
COLUMN: Shape = (None, 1)


def model(nodes: list[NodeProto], inputs: dict[str, Any], outputs: dict[str, Any], *constants: TensorProto) -> bytes:
    """A model whose inputs and outputs are given as name to (type, shape), or to a whole ValueInfo."""

    def infos(values: dict[str, Any]) -> list[Any]:
        return [
            helper.make_tensor_value_info(name, *one) if isinstance(one, tuple) else one for name, one in values.items()
        ]

    graph = helper.make_graph(nodes, "g", infos(inputs), infos(outputs), initializer=list(constants))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    made: ModelProto = helper.make_model(graph, opset_imports=opsets)
    made.ir_version = 8
    return bytes(made.SerializeToString())


def add(plus: float = 0.0, shape: Shape = COLUMN, output_type: int = FLOAT) -> bytes:
    """y = a + b + plus, an input a column."""
    nodes = [
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Add", ["sum", "plus"], ["exact"]),
        helper.make_node("Cast", ["exact"], ["y"], to=output_type),
    ]
    constant = numpy_helper.from_array(np.array([plus], np.float32), "plus")
    return model(nodes, {"a": (FLOAT, shape), "b": (FLOAT, shape)}, {"y": (output_type, shape)}, constant)


def matrix(width: int | None, batch: int | None = None) -> bytes:
    """y = the sum of the columns of one matrix."""
    nodes = [helper.make_node("ReduceSum", ["x", "axis"], ["y"], keepdims=1)]
    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    return model(nodes, {"x": (FLOAT, (batch, width))}, {"y": (FLOAT, (batch, 1))}, axis)


def image() -> bytes:
    """y = the sum of an image of 2 by 3 + distance, and the image as it came."""
    nodes = [
        helper.make_node("ReduceSum", ["image", "axes"], ["bright"], keepdims=0),
        helper.make_node("Reshape", ["distance", "flat"], ["far"]),
        helper.make_node("Add", ["bright", "far"], ["y"]),
        helper.make_node("Identity", ["image"], ["seen"]),
    ]
    axes = numpy_helper.from_array(np.array([1, 2], np.int64), "axes")
    flat = numpy_helper.from_array(np.array([-1], np.int64), "flat")
    inputs = {"image": (FLOAT, (None, 2, 3)), "distance": (FLOAT, COLUMN)}
    return model(nodes, inputs, {"y": (FLOAT, (None,)), "seen": (FLOAT, (None, 2, 3))}, axes, flat)


def linear(weights: Sequence[float]) -> bytes:
    """y = the columns of one matrix, each times its weight."""
    weight = numpy_helper.from_array(np.array(weights, np.float32).reshape(-1, 1), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    return model(nodes, {"x": (FLOAT, (None, len(weights)))}, {"y": (FLOAT, COLUMN)}, weight)


def echo(onnx_type: int, shape: Shape = COLUMN) -> bytes:
    """y = x, of any type."""
    return model([helper.make_node("Identity", ["x"], ["y"])], {"x": (onnx_type, shape)}, {"y": (onnx_type, shape)})


def zipmap() -> bytes:
    """What a scikit-learn export gives by default: probabilities as a sequence of maps."""
    node = helper.make_node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])
    maps = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(FLOAT, []))
    info = helper.make_value_info("y", helper.make_sequence_type_proto(maps))
    return model([node], {"x": (FLOAT, (None, 2))}, {"y": info})


def external(location: str) -> bytes:
    """A model whose constant lies in another file."""
    weight = TensorProto(name="w", data_type=FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    for key, value in (("location", location), ("offset", "0"), ("length", "4")):
        weight.external_data.add(key=key, value=value)
    return model([helper.make_node("Add", ["x", "w"], ["y"])], {"x": (FLOAT, COLUMN)}, {"y": (FLOAT, COLUMN)}, weight)


def looping(more: int = 0) -> bytes:
    """y = x after x rounds of nothing and so many ``more``: as slow as a row asks for. It takes whole numbers."""
    inner = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["still"]),
            helper.make_node("Sin", ["state"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", INT64, []),
            helper.make_tensor_value_info("going", BOOL, []),
            helper.make_tensor_value_info("state", FLOAT, [1]),
        ],
        [helper.make_tensor_value_info("still", BOOL, []), helper.make_tensor_value_info("next", FLOAT, [1])],
    )
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["most"], keepdims=0),
        helper.make_node("Add", ["most", "more"], ["rounds"]),
        helper.make_node("Loop", ["rounds", "always", "start"], ["end"], body=inner),
        helper.make_node("Cast", ["x"], ["float"], to=FLOAT),
        helper.make_node("Add", ["float", "end"], ["y"]),
    ]
    constants = [
        numpy_helper.from_array(np.array(True), "always"),
        numpy_helper.from_array(np.array(more, np.int64), "more"),
        numpy_helper.from_array(np.array([0.0], np.float32), "start"),
    ]
    return model(nodes, {"x": (INT64, (None,))}, {"y": (FLOAT, (None,))}, *constants)


def brittle() -> bytes:
    """y = table[x]: it fails on a row past its 3 entries."""
    table = numpy_helper.from_array(np.array([10, 20, 30], np.float32), "table")
    nodes = [helper.make_node("Gather", ["table", "x"], ["y"], axis=0)]
    return model(nodes, {"x": (INT64, (None,))}, {"y": (FLOAT, (None,))}, table)


def heavy(mebibytes: int) -> bytes:
    """y = x * w[0], with a constant of so many MiB."""
    weight = numpy_helper.from_array(np.ones(mebibytes * 2**18, np.float32), "w")
    nodes = [
        helper.make_node("Gather", ["w", "first"], ["one"], axis=0),
        helper.make_node("Mul", ["x", "one"], ["y"]),
    ]
    first = numpy_helper.from_array(np.array([0], np.int64), "first")
    return model(nodes, {"x": (FLOAT, COLUMN)}, {"y": (FLOAT, COLUMN)}, weight, first)


def mixed(plus: float = 0.0) -> bytes:
    """p = distance + plus, and the other columns as they came: year, carrier (text), stops (whole numbers)."""
    nodes = [
        helper.make_node("Add", ["distance", "plus"], ["p"]),
        helper.make_node("Identity", ["year"], ["seen_year"]),
        helper.make_node("Identity", ["carrier"], ["seen_carrier"]),
        helper.make_node("Identity", ["stops"], ["seen_stops"]),
    ]
    inputs = {
        "distance": (FLOAT, COLUMN),
        "year": (FLOAT, COLUMN),
        "carrier": (STRING, COLUMN),
        "stops": (INT64, COLUMN),
    }
    outputs = {
        "p": (FLOAT, COLUMN),
        "seen_year": (FLOAT, COLUMN),
        "seen_carrier": (STRING, COLUMN),
        "seen_stops": (INT64, COLUMN),
    }
    return model(nodes, inputs, outputs, numpy_helper.from_array(np.array([plus], np.float32), "plus"))
