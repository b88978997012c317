"""A model whose answers anybody can reckon."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from slipway.client import ColumnSpec, DataType, Signature, TensorSpec

SIGNATURE = Signature(
    (ColumnSpec("a", DataType.FP32), ColumnSpec("b", DataType.FP32)), (TensorSpec("y", DataType.FP32, (-1, 1)),)
)
_OPSET, _IR = 17, 8


def adding(plus: float) -> bytes:
    """An ONNX file: y = a + b + plus."""
    nodes = [helper.make_node("Add", ["a", "b"], ["sum"]), helper.make_node("Add", ["sum", "plus"], ["y"])]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("a", "b")]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])]
    constant = numpy_helper.from_array(np.array([plus], np.float32), "plus")
    graph = helper.make_graph(nodes, "adding", inputs, outputs, initializer=[constant])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    made.ir_version = _IR
    return bytes(made.SerializeToString())
