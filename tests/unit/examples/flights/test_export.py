from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest

from examples.flights import data, train
from examples.flights.columns import Column, encode, learn
from examples.flights.export import feeds, largest_difference, score, to_onnx
from examples.flights.features import CATEGORIES, NUMBERS, features
from examples.flights.trees import _round_down
from slipway.errors import InvalidInput

TOLERANCE = 1e-6
QUIET = {"verbosity": -1, "num_threads": 2, "deterministic": True, "force_row_wise": True}


def strange(rows: int, seed: int = 1) -> pd.DataFrame:
    """Columns that are hard on a converter: adjacent values, signs, holes, rare and many categories."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "many": draw.choice([f"c{n}" for n in range(90)], rows).astype(object),
            "few": draw.choice(np.array(["x", "y", "é|,\n", None], dtype=object), rows),
            "empty": np.full(rows, None, dtype=object),
            "close": (1.0 + draw.integers(0, 9, rows) * 1e-9).astype(np.float64),
            "signed": draw.normal(0, 1, rows).round(2),
            "negative": draw.uniform(-9, -1, rows),
            "holes": np.where(draw.random(rows) < 0.3, np.nan, draw.normal(5, 9, rows)),
            "huge": draw.choice([1e30, -1e30, 3.0, 16777217.0, 16777219.0], rows),
        }
    )


def fit(table: pd.DataFrame, **parameters: Any) -> tuple[lightgbm.Booster, tuple[Column, ...]]:
    columns = learn(table, ["many", "few", "empty"], ["close", "signed", "negative", "holes", "huge"])
    matrix = encode(table, columns)
    draw = np.random.default_rng(7)
    signal = np.sin(matrix[:, 0]) + matrix[:, 4] + np.nan_to_num(matrix[:, 6]) / 5 + (matrix[:, 1] == 2)
    target = signal + draw.normal(0, 1, len(table))
    if parameters.get("objective", "binary") == "binary":
        target = (target > np.median(target)).astype(float)
    settings = {"objective": "binary", "min_data_in_leaf": 5, "min_data_per_group": 5, "cat_smooth": 1}
    dataset = lightgbm.Dataset(matrix, label=target, categorical_feature=[0, 1, 2], params={"max_bin": 2000})
    return lightgbm.train({**QUIET, **settings, **parameters}, dataset, num_boost_round=40), columns


@pytest.mark.parametrize(
    "parameters",
    [{}, {"use_missing": False}, {"max_cat_to_onehot": 100}, {"sigmoid": 2.5}, {"num_leaves": 2}, {"boosting": "dart"}],
    ids=str,
)
def test_any_binary_booster_is_exported_as_it_predicts(parameters: dict[str, Any]) -> None:
    booster, columns = fit(strange(4_000), **parameters)
    table = strange(4_000, seed=2)
    table.loc[::3, "many"] = "unseen"
    table.loc[::5, "many"] = ""
    table.loc[::4, ["close", "signed", "negative", "huge"]] = np.nan
    table.loc[::7, "empty"] = "told at last"
    assert largest_difference(booster, to_onnx(booster, columns), table, columns) < TOLERANCE


def test_a_regression_is_exported_without_a_transform() -> None:
    table = strange(4_000)
    booster, columns = fit(table, objective="regression")
    model = to_onnx(booster, columns, output="minutes")
    largest = np.abs(booster.predict(encode(table, columns))).max()
    assert largest_difference(booster, model, table, columns) < TOLERANCE * largest


def test_a_booster_that_learned_nothing_is_exported() -> None:
    booster, columns = fit(strange(50), min_data_in_leaf=1_000)
    assert largest_difference(booster, to_onnx(booster, columns), strange(50), columns) < TOLERANCE


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"objective": "poisson"}, "objective"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "boosting"),
        ({"linear_tree": True}, "linear_tree"),
        ({"zero_as_missing": True}, "zero_as_missing"),
        ({"objective": "regression", "reg_sqrt": True}, "reg_sqrt"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(parameters: dict[str, Any], field: str) -> None:
    table = strange(500).assign(many="a", few="b") if field == "linear_tree" else strange(500)
    columns = learn(table, ["many", "few", "empty"], ["close", "signed", "negative", "holes", "huge"])
    label = np.abs(table["signed"].to_numpy()) + (0 if "objective" in parameters else table["holes"].gt(0).to_numpy())
    target = label if "objective" in parameters else (label > 1).astype(float)
    matrix = np.nan_to_num(encode(table, columns))
    dataset = lightgbm.Dataset(matrix, label=target, params=parameters)
    booster = lightgbm.train({**QUIET, "objective": "binary", **parameters}, dataset, num_boost_round=5)
    with pytest.raises(InvalidInput) as caught:
        to_onnx(booster, columns)
    assert caught.value.violations[0].field == field


def test_a_booster_without_trees_is_refused() -> None:
    table = strange(100)
    columns = learn(table, ["few"], ["signed"])
    booster = lightgbm.Booster(
        {**QUIET, "objective": "binary"}, lightgbm.Dataset(encode(table, columns), label=[0, 1] * 50)
    )
    with pytest.raises(InvalidInput, match="booster: has no trees"):
        to_onnx(booster, columns)


def test_columns_that_are_not_the_booster_s_are_refused() -> None:
    booster, columns = fit(strange(500))
    with pytest.raises(InvalidInput, match="columns: 7 given"):
        to_onnx(booster, columns[1:])
    with pytest.raises(InvalidInput, match="a name of its own"):
        to_onnx(booster, columns, output="many")


@pytest.mark.parametrize("threshold", [0.1, -0.1, 1.5, 1.0000000180025095e-35, -1e300, 16777217.0, 0.0])
def test_a_rounded_threshold_keeps_every_value_on_its_side(threshold: float) -> None:
    rounded = np.float32(_round_down(threshold))
    assert float(rounded) <= threshold
    assert float(np.nextafter(rounded, np.float32(np.inf))) > threshold


def test_the_graph_takes_the_columns_themselves(trained: train.Trained) -> None:
    model = to_onnx(trained.booster, trained.columns)
    assert model == to_onnx(trained.booster, trained.columns)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    kinds = dict.fromkeys(CATEGORIES, "tensor(string)") | dict.fromkeys(NUMBERS, "tensor(float)")
    assert [(put.name, put.type, put.shape) for put in session.get_inputs()] == [
        (name, kind, ["N", 1]) for name, kind in kinds.items()
    ]
    assert [(put.name, put.type, put.shape) for put in session.get_outputs()] == [
        ("probability", "tensor(float)", ["N", 1])
    ]


def test_real_flights_score_as_lightgbm_scores_them(trained: train.Trained, record_property: Any) -> None:
    table = features(data.flights(range(4, 13)).sample(6_000, random_state=2013))
    table = table.reset_index(drop=True)
    table.loc[::7, "carrier"] = "ZZ"
    table.loc[::11, "dest"] = "XXX"
    table.loc[::13, ["plane_type", "plane_engine", "plane_manufacturer"]] = None
    table.loc[::13, ["plane_year", "plane_seats"]] = np.nan
    table.loc[::17, list(NUMBERS)] = np.nan
    assert table["plane_year"].isna().mean() > 0.15
    model = to_onnx(trained.booster, trained.columns)
    difference = largest_difference(trained.booster, model, table, trained.columns)
    record_property("largest_difference", difference)
    assert difference < TOLERANCE
    scores = score(model, table, trained.columns)
    assert np.ptp(scores) > 0.3
    alone = [score(model, table[place : place + 1], trained.columns)[0] for place in range(3)]
    assert alone == pytest.approx(scores[:3], abs=TOLERANCE)


def test_feeds_are_one_tensor_a_column(trained: train.Trained) -> None:
    table = pd.DataFrame({column.name: [None, None] for column in trained.columns})
    inputs = feeds(table, trained.columns)
    assert list(inputs) == [column.name for column in trained.columns]
    assert {values.shape for values in inputs.values()} == {(2, 1)}
    assert inputs["carrier"].tolist() == [[""], [""]]
    assert np.isnan(inputs["month"].astype(float)).all()
