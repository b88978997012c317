"""What may become the model: trees or a net, fitted, scored and exported alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from examples.flights import figures, train
from examples.flights.columns import Column
from examples.flights.export import largest_difference, score, to_onnx
from examples.flights.figures import Floats
from slipway.errors import Kind, SlipwayError, invalid_field

TREES = "trees"
NET = "net"
_TOLERANCE = 1e-5
_SAMPLE = 2_000


class ExportDiffers(SlipwayError):
    """The exported file answers otherwise than the model that it was made from."""

    kind = Kind.INTERNAL
    reason = "EXPORT_DIFFERS"


@dataclass(frozen=True)
class Fitted:
    """A model in the form that is served, and for trees in LightGBM's own text. ``importance`` is a share a column."""

    kind: str
    onnx: bytes
    columns: list[Column]
    importance: dict[str, float]
    baseline_rate: float
    training_rows: int
    booster: str = ""

    def scores(self, table: pd.DataFrame) -> Floats:
        """The served form's answers, [rows]."""
        return score(self.onnx, table, self.columns).astype("float64")


@dataclass(frozen=True)
class Rival:
    """How one kind of model did on the flights that it was held back from; ``trained`` False when it was left out."""

    kind: str
    trained: bool
    metrics: dict[str, float] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """The figures."""
        return {"kind": self.kind, "trained": self.trained, **self.metrics}


def fit(kind: str, table: pd.DataFrame, inputs: tuple[Sequence[str], Sequence[str]], rounds: int) -> Fitted:
    """Fit and export. Fails with ExportDiffers when the two answer otherwise, with InvalidInput without labels."""
    sample = table.sample(min(_SAMPLE, len(table)), random_state=1)
    if kind == TREES:
        trees = train.train(table, *inputs, rounds)
        onnx = to_onnx(trees.booster, trees.columns)
        _require_equal(largest_difference(trees.booster, onnx, sample, trees.columns))
        shares = train.importance(trees)
        own = trees.booster.model_to_string()
        return Fitted(kind, onnx, list(trees.columns), shares, trees.baseline_rate, trees.training_rows, own)
    if kind != NET:
        raise invalid_field("kind", f"is {kind!r}; give {TREES!r} or {NET!r}")
    from examples.flights import net  # noqa: PLC0415  (torch, only where a net is trained)

    made = net.train(table, *inputs)
    onnx = net.to_onnx(made)
    _require_equal(float(abs(net.scores(made, sample) - score(onnx, sample, made.columns)).max()))
    shares = net.importance(made, table)
    return Fitted(kind, onnx, list(made.columns), shares, made.baseline_rate, made.training_rows)


def scorer(kind: str, inputs: tuple[Sequence[str], Sequence[str]], rounds: int) -> train.Fit:
    """What trains one kind on a table and gives what scores another: for scores out of fold."""

    def fitted(table: pd.DataFrame) -> Callable[[pd.DataFrame], Floats]:
        if kind == TREES:
            trees = train.train(table, *inputs, rounds)
            return lambda rows: train.scores(trees, rows)
        return fit(kind, table, inputs, rounds).scores

    return fitted


def contest(
    kind: str, before: pd.DataFrame, later: pd.DataFrame, inputs: tuple[Sequence[str], Sequence[str]], rounds: int
) -> Rival:
    """Train on ``before``, judge on ``later``."""
    fitted = fit(kind, before, inputs, rounds)
    late = later[train.LABEL].to_numpy(dtype="float64")
    return Rival(kind, True, figures.judge(fitted.scores(later), late, fitted.baseline_rate).metrics())


def better(*rivals: Rival) -> Rival:
    """The one with the lower log loss, of those that were tried; the first of equals."""
    return min((one for one in rivals if one.trained), key=lambda one: one.metrics["log_loss"])


def _require_equal(difference: float) -> None:
    if not difference <= _TOLERANCE:
        raise ExportDiffers(f"the exported model differs by {difference:.1e} from the one it was made from")
