from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pandas as pd
import pytest

from examples.flights import figures
from examples.flights.export import score
from examples.flights.features import CATEGORIES, NUMBERS
from slipway.errors import InvalidInput

if TYPE_CHECKING:
    from examples.flights.net import TrainedNet

Split = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def net() -> ModuleType:
    """What trains nets: it brings torch, which every worker would import to collect these tests, and one needs."""
    from examples.flights import net  # noqa: PLC0415

    return net


@pytest.fixture(scope="module")
def made(net: ModuleType, split: Split) -> TrainedNet:
    return net.train(split[0], CATEGORIES, NUMBERS, epochs=2)


def test_the_net_learns_and_is_exported_as_it_answers(net: ModuleType, split: Split, made: TrainedNet) -> None:
    table = split[1].copy()
    late = table["late"].to_numpy(dtype=float)
    assert figures.judge(net.scores(made, table), late, made.baseline_rate).auc > 0.6
    table.loc[::7, "carrier"] = "ZZ"
    table.loc[::5, ["plane_type", "dest"]] = None
    table.loc[::3, list(NUMBERS)] = np.nan
    table.loc[::11, "distance_miles"] = 1e9
    model = net.to_onnx(made)
    onnx.checker.check_model(onnx.load_from_string(model), full_check=True)
    assert np.abs(score(model, table, made.columns) - net.scores(made, table)).max() < 1e-5
    alone = score(model, table[:1], made.columns)
    assert alone == pytest.approx(net.scores(made, table[:1]), abs=1e-5)


def test_the_same_rows_give_the_same_net_and_disturb_nobody(net: ModuleType, split: Split) -> None:
    import torch  # noqa: PLC0415

    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    rows = split[0][:2_000]
    first, again = (net.train(rows.copy(), CATEGORIES, NUMBERS, epochs=1) for _ in range(2))
    assert net.to_onnx(first) == net.to_onnx(again)
    assert torch.rand(1) == expected
    assert torch.get_num_threads() == threads


def test_what_matters_to_the_net_is_told_in_shares(net: ModuleType, split: Split) -> None:
    rows = split[0][:4_000].assign(told=split[0]["late"], noise=1.0)
    made = net.train(rows, ["carrier"], ["told", "noise"], epochs=5)
    shares = net.importance(made, rows)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["told"] > 0.9
    assert shares["noise"] == 0


def test_labels_of_one_kind_are_refused(net: ModuleType, rows: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="rows"):
        net.train(rows[:9].assign(late=1.0), CATEGORIES, NUMBERS)
