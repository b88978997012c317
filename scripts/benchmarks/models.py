"""The models of the benchmarks: one matrix ``x`` [rows, width] of FP32 in, ``p`` out; the same bytes in every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

Matrix = npt.NDArray[np.float32]
_TREES, _DEPTH = 300, 6


@dataclass(frozen=True)
class Model:
    """One model; ``width`` numbers a row in, ``outputs`` a row out."""

    name: str
    width: int
    outputs: int
    build: Callable[[], bytes]

    @cached_property
    def onnx(self) -> bytes:
        """Its file."""
        return self.build()

    def rows(self, count: int) -> Matrix:
        """So many rows, always the same, [count, width]."""
        return np.random.default_rng(7).standard_normal((count, self.width)).astype(np.float32)

    def answers(self, count: int) -> Matrix:
        """What ONNX Runtime says about them, [count, outputs]."""
        [found] = session(self.onnx).run(["p"], {"x": self.rows(count)})
        return np.asarray(found, np.float32)


def session(model: bytes) -> Any:
    """ONNX Runtime as a worker of the gateway sets it up: one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _net(*widths: int) -> bytes:
    """Dense layers with a ReLU between each two."""
    chosen = np.random.default_rng(1)
    nodes, constants, last = [], [], "x"
    for layer, (wide, narrow) in enumerate(pairwise(widths)):
        weights = chosen.standard_normal((wide, narrow)).astype(np.float32) / np.float32(np.sqrt(wide))
        constants.append(numpy_helper.from_array(weights, f"w{layer}"))
        constants.append(numpy_helper.from_array(chosen.standard_normal(narrow).astype(np.float32), f"b{layer}"))
        ends = layer == len(widths) - 2
        nodes.append(helper.make_node("Gemm", [last, f"w{layer}", f"b{layer}"], ["p" if ends else f"h{layer}"]))
        if not ends:
            nodes.append(helper.make_node("Relu", [f"h{layer}"], [f"a{layer}"]))
        last = f"a{layer}"
    return _file(nodes, widths[0], widths[-1], constants)


def _trees() -> bytes:
    """Complete binary trees with random splits and leaves: what a boosting library's converter would write."""
    chosen = np.random.default_rng(2)
    inner, nodes = 2**_DEPTH - 1, 2 ** (_DEPTH + 1) - 1
    ids = np.tile(np.arange(nodes), _TREES)
    leaf = ids >= inner
    total = len(ids)
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["p"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=np.repeat(np.arange(_TREES), nodes).tolist(),
        nodes_nodeids=ids.tolist(),
        nodes_featureids=np.where(leaf, 0, chosen.integers(0, 32, total)).tolist(),
        nodes_values=np.where(leaf, 0, chosen.standard_normal(total) * 0.7).astype(np.float32).tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_truenodeids=np.where(leaf, 0, 2 * ids + 1).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, 2 * ids + 2).tolist(),
        target_treeids=np.repeat(np.arange(_TREES), nodes - inner).tolist(),
        target_nodeids=ids[leaf].tolist(),
        target_ids=[0] * int(leaf.sum()),
        target_weights=(chosen.standard_normal(int(leaf.sum())) / _TREES).astype(np.float32).tolist(),
    )
    return _file([node], 32, 1, [])


def _file(nodes: list[Any], width: int, outputs: int, constants: list[Any]) -> bytes:
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, width])
    given = helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, outputs])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    graph = helper.make_graph(nodes, "bench", [taken], [given], initializer=constants)
    made = helper.make_model(graph, opset_imports=opsets)
    made.ir_version = 8
    return bytes(made.SerializeToString())


TINY = Model("tiny", 32, 1, lambda: _net(32, 64, 1))
TREES = Model("trees", 32, 1, _trees)
WIDE = Model("wide", 512, 10, lambda: _net(512, 1024, 1024, 10))
MODELS = (TINY, TREES, WIDE)
