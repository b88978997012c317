"""A small neural net on the same columns as the trees, exported with all that it does to them.

torch is slow to import and large: import this module where a net is trained, not before.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd
import torch

from examples.flights.columns import Column, encode, learn
from examples.flights.export import MATRIX, OPSET, OUTPUT, assemble
from examples.flights.figures import Floats
from examples.flights.train import LABEL, with_both_labels

EPOCHS = 3
_BATCH_ROWS = 512
_LEARNING_RATE = 2e-3
_WEIGHT_DECAY = 1e-2
_WIDTH = 64
_DROPOUT = 0.2
_FAR = 5.0  # standard deviations beyond which a number tells nothing more
_SEED = 2013


class Net(torch.nn.Module):
    """From the matrix of ``columns.encode`` to a probability, [rows, 1].

    Categories are embedded, numbers standardised; a missing number is its mean, and said to be missing.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, sizes: Sequence[int], mean: torch.Tensor, deviation: torch.Tensor) -> None:
        super().__init__()
        widths = [min(16, 1 + size // 3) for size in sizes]
        self.categories = len(sizes)
        self.embeddings = torch.nn.ModuleList(map(torch.nn.Embedding, sizes, widths))
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(sum(widths) + 2 * len(mean), _WIDTH),
            torch.nn.ReLU(),
            torch.nn.Dropout(_DROPOUT),
            torch.nn.Linear(_WIDTH, _WIDTH),
            torch.nn.ReLU(),
            torch.nn.Linear(_WIDTH, 1),
        )

    def margin(self, matrix: torch.Tensor) -> torch.Tensor:
        """The log odds, [rows, 1]."""
        numbers = matrix[:, self.categories :]
        missing = torch.isnan(numbers)
        usual = (numbers - self.mean) / self.deviation
        known = torch.where(missing, torch.zeros_like(numbers), usual.clamp(-_FAR, _FAR))
        told = [table(matrix[:, place].long()) for place, table in enumerate(self.embeddings)]
        return self.layers(torch.cat([*told, known, missing.to(numbers.dtype)], dim=1))  # type: ignore[no-any-return]

    def forward(self, matrix: torch.Tensor) -> torch.Tensor:
        """The probability, [rows, 1]."""
        return torch.sigmoid(self.margin(matrix))


@dataclass(frozen=True, slots=True)
class TrainedNet:
    """A net and the columns of its matrix, categories first."""

    net: Net
    columns: tuple[Column, ...]
    baseline_rate: float
    training_rows: int


def train(table: pd.DataFrame, categories: Sequence[str], numbers: Sequence[str], epochs: int = EPOCHS) -> TrainedNet:
    """Fit on the rows whose ``late`` is told, on one thread; the same rows give the same net.

    Fails with InvalidInput unless flights of both kinds are there.
    """
    labelled = with_both_labels(table)
    columns = learn(labelled, categories, numbers)
    matrix = torch.from_numpy(encode(labelled, columns))
    late = torch.from_numpy(labelled[LABEL].to_numpy(dtype=np.float32)).reshape(-1, 1)
    with _alone():
        net = _made(columns, matrix[:, len(categories) :].numpy())
        _fit(net, matrix, late, epochs)
    return TrainedNet(net, columns, float(labelled[LABEL].mean()), len(labelled))


def scores(trained: TrainedNet, table: pd.DataFrame) -> Floats:
    """The net's own answers, [rows]."""
    with _alone(), torch.no_grad():
        told = trained.net(torch.from_numpy(encode(table, trained.columns)))
    return np.asarray(told.numpy().reshape(-1), dtype=np.float64)


def importance(trained: TrainedNet, table: pd.DataFrame, rows: int = 4_000) -> dict[str, float]:
    """Each column's share of the log loss that shuffling it costs on a sample of labelled rows, 0 to 1."""
    sample = with_both_labels(table)
    sample = sample.sample(min(rows, len(sample)), random_state=_SEED)
    matrix = torch.from_numpy(encode(sample, trained.columns))
    late = torch.from_numpy(sample[LABEL].to_numpy(dtype=np.float32)).reshape(-1, 1)
    draw = torch.Generator().manual_seed(_SEED)
    with _alone(), torch.no_grad():
        whole = _loss(trained.net, matrix, late)
        costs = []
        for place in range(len(trained.columns)):
            shuffled = matrix.clone()
            shuffled[:, place] = matrix[torch.randperm(len(matrix), generator=draw), place]
            costs.append(max(0.0, float(_loss(trained.net, shuffled, late) - whole)))
    total = sum(costs)
    return {column.name: cost / total if total else 0.0 for column, cost in zip(trained.columns, costs, strict=True)}


def to_onnx(trained: TrainedNet, *, output: str = OUTPUT) -> bytes:
    """As ``export.to_onnx`` for trees: one input a column, unencoded, and the probability."""
    sink = io.BytesIO()
    example = torch.from_numpy(encode(_example(trained.columns), trained.columns))
    with _alone():
        torch.onnx.export(
            trained.net,
            (example,),
            sink,  # type: ignore[arg-type]
            input_names=[MATRIX],
            output_names=[output],
            dynamic_axes={MATRIX: {0: "N"}, output: {0: "N"}},
            opset_version=OPSET,
            dynamo=False,
        )
    graph = onnx.load_from_string(sink.getvalue()).graph
    return assemble(trained.columns, graph.node, graph.initializer, name="torch", output=output)


def _made(columns: Sequence[Column], numbers: npt.NDArray[np.float32]) -> Net:
    with np.errstate(all="ignore"):
        known = ~np.isnan(numbers)
        rows = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, numbers, 0).sum(axis=0, dtype=np.float64) / rows
        square = np.where(known, (numbers - mean) ** 2, 0).sum(axis=0) / rows
    deviation = np.sqrt(square)
    # A number that never changed has nothing to be measured by.
    deviation[deviation < 1e-6] = 1.0
    sizes = [len(column.vocabulary) + 1 for column in columns if column.vocabulary is not None]
    return Net(sizes, torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(deviation.astype(np.float32)))


def _fit(net: Net, matrix: torch.Tensor, late: torch.Tensor, epochs: int) -> None:
    steps = epochs * -(-len(matrix) // _BATCH_ROWS)
    optimizer = torch.optim.AdamW(net.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_LEARNING_RATE, total_steps=steps)
    net.train()
    for _ in range(epochs):
        for part in torch.randperm(len(matrix)).split(_BATCH_ROWS):  # type: ignore[no-untyped-call]
            optimizer.zero_grad(set_to_none=True)
            _loss(net, matrix[part], late[part]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    net.eval()


def _loss(net: Net, matrix: torch.Tensor, late: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.binary_cross_entropy_with_logits(net.margin(matrix), late)


def _example(columns: Sequence[Column]) -> pd.DataFrame:
    return pd.DataFrame({one.name: [None, None] if one.vocabulary is not None else [0.0, np.nan] for one in columns})


@contextmanager
def _alone() -> Iterator[None]:
    """One thread and a seed of its own: more threads would change the sums, and take others' cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            yield
    finally:
        torch.set_num_threads(threads)
