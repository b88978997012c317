"""A LightGBM booster's trees as ONNX nodes, decision for decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import NodeProto, helper

from slipway.errors import invalid_field

if TYPE_CHECKING:
    import lightgbm


def ensemble(booster: lightgbm.Booster, source: str, target: str) -> list[NodeProto]:
    """The nodes that turn ``source`` (float [N, features]) into ``target`` (float [N, 1]).

    Equal to ``booster.predict`` but for float32 sums: missing values go where LightGBM sends them, and a
    threshold is rounded down to float32, so that no float32 value changes sides. Fails with InvalidInput on
    what LightGBM can train and this cannot say: other objectives than binary and regression, linear trees,
    averaged forests, zero taken as missing.
    """
    dump = booster.dump_model()
    objective, *settings = dump.get("objective", "none").split()
    if objective not in ("binary", "regression"):
        raise invalid_field("objective", f"{objective!r} cannot be exported; train with 'binary' or 'regression'")
    if dump.get("average_output"):
        raise invalid_field("boosting", "a random forest cannot be exported; train with boosting 'gbdt'")
    if "sqrt" in settings:
        raise invalid_field("reg_sqrt", "cannot be exported; train without it")
    if not dump["tree_info"]:
        raise invalid_field("booster", "has no trees; train it for a round or more")
    rows = _Rows(scale=next((float(text[8:]) for text in settings if text.startswith("sigmoid:")), 1.0))
    for tree, info in enumerate(dump["tree_info"]):
        rows.add_tree(tree, info["tree_structure"])
    if objective == "regression":
        return [rows.node(source, target)]
    # The runtime skips an ensemble's own logistic transform when there is one target.
    return [rows.node(source, f"{target}/margin"), helper.make_node("Sigmoid", [f"{target}/margin"], [target])]


class _Rows:
    """The ensemble's parallel lists. Ids count within a tree."""

    def __init__(self, *, scale: float) -> None:
        self._scale = scale
        self._nodes: list[dict[str, Any]] = []
        self._leaves: list[dict[str, Any]] = []

    def node(self, source: str, target: str) -> NodeProto:
        """The ONNX node of all that was added."""
        attributes: dict[str, Any] = {"n_targets": 1, "aggregate_function": "SUM", "post_transform": "NONE"}
        for prefix, rows in (("nodes_", self._nodes), ("target_", self._leaves)):
            for name in rows[0]:
                attributes[prefix + name] = [row[name] for row in rows]
        return helper.make_node("TreeEnsembleRegressor", [source], [target], domain="ai.onnx.ml", **attributes)

    def add_tree(self, tree: int, root: dict[str, Any]) -> None:
        """Add one tree of LightGBM's dump."""
        waiting, next_id = [(0, root)], 1
        while waiting:
            node_id, node = waiting.pop()
            if "leaf_value" in node:
                self._add_leaf(tree, node_id, node)
                continue
            left = next_id
            if node["decision_type"] == "==":
                left = self._add_membership(tree, node_id, node, next_id)
            else:
                self._add_threshold(tree, node_id, node, left)
            next_id = left + 2
            waiting += [(left, node["left_child"]), (left + 1, node["right_child"])]

    def _add_threshold(self, tree: int, node_id: int, node: dict[str, Any], left: int) -> None:
        threshold, missing = float(node["threshold"]), node["missing_type"]
        if missing == "Zero":
            raise invalid_field("zero_as_missing", "cannot be exported; train without it")
        # LightGBM reads NaN as 0 in a column that had none while training.
        nan_left = node["default_left"] if missing == "NaN" else threshold >= 0.0
        test = {"modes": "BRANCH_LEQ", "values": _round_down(threshold), "featureids": node["split_feature"]}
        self._add_node(tree, node_id, test, (left, left + 1), nan_left=bool(nan_left))

    def _add_membership(self, tree: int, node_id: int, node: dict[str, Any], next_id: int) -> int:
        """One comparison a category, each leading to the same left child, whose id is returned."""
        categories = [float(code) for code in str(node["threshold"]).split("||")]
        left = next_id + len(categories) - 1
        here = [node_id, *range(next_id, left)]
        for place, category, following in zip(here, categories, [*here[1:], left + 1], strict=True):
            test = {"modes": "BRANCH_EQ", "values": category, "featureids": node["split_feature"]}
            self._add_node(tree, place, test, (left, following), nan_left=False)
        return left

    def _add_leaf(self, tree: int, node_id: int, leaf: dict[str, Any]) -> None:
        if "leaf_const" in leaf:
            raise invalid_field("linear_tree", "cannot be exported; train without it")
        weight = float(leaf["leaf_value"]) * self._scale
        self._add_node(tree, node_id, {"modes": "LEAF", "values": 0.0, "featureids": 0}, (0, 0), nan_left=False)
        self._leaves.append({"treeids": tree, "nodeids": node_id, "ids": 0, "weights": weight})

    def _add_node(
        self, tree: int, node_id: int, test: dict[str, Any], children: tuple[int, int], *, nan_left: bool
    ) -> None:
        true, false = children
        place = {"treeids": tree, "nodeids": node_id, "truenodeids": true, "falsenodeids": false}
        self._nodes.append({**place, **test, "missing_value_tracks_true": int(nan_left)})


def _round_down(threshold: float) -> float:
    """The greatest float32 that is not above it: for every float32 ``x``, ``x <= threshold`` stays what it was."""
    with np.errstate(over="ignore"):
        rounded = np.float32(threshold)
    return float(np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded)
