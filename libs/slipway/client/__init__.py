"""The public Python client: typed, synchronous and asynchronous, quick to import.

    with Slipway() as slipway:
        (late,) = slipway.inference.predict("flight-delay", [{"carrier": "UA", "distance": 1400}])
        print(late.value)

:class:`Slipway` and :class:`AsyncSlipway` have the same methods, under ``registry``, ``features``, ``training``,
``inference`` and ``monitor``. They take and give the frozen values of ``slipway.client.types``; lists that may be
long are iterators over pages, and ``watch…`` streams that end when they are closed.

Fails only with ``slipway.errors.SlipwayError``: branch on ``kind`` and ``reason``, show ``message``. gRPC tries a
call again by itself, three times at most and only when repeating it is safe; nothing else here does.

Threads may share a :class:`Slipway`. An :class:`AsyncSlipway` belongs to the event loop that first used it. Neither
survives a fork: make the client in the child.

Rooms: ``types`` and ``codec`` (proto to values) are pure; ``peers`` knows the services; ``failures`` turns what
gRPC raises into errors; ``_async`` is written by hand and ``_sync`` generated from it by ``scripts/generate``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipway.client._async.slipway import AsyncSlipway
    from slipway.client._sync.slipway import Slipway
    from slipway.client.types.baselines import Baseline, FeatureBaseline, PerformanceBaseline
    from slipway.client.types.endpoints import (
        DefaultAnswer,
        Experiment,
        FallbackVersion,
        Guardrails,
        RevisionCause,
    )
    from slipway.client.types.features import (
        Aggregation,
        AggregationFunction,
        Feature,
        FeatureService,
        FeatureStatus,
        FeatureView,
        OnlineColumn,
        OnlineFeatures,
        OnlineStore,
        Pushed,
        Source,
        ValueType,
        Watermark,
    )
    from slipway.client.types.inference import (
        Answered,
        EndpointStatus,
        Prediction,
        PredictionLog,
        Question,
        RouteStatus,
        ServedEndpoints,
        TenantStatus,
        VersionState,
    )
    from slipway.client.types.judgement import (
        Decision,
        FeatureWindow,
        Harm,
        Incident,
        IncidentFeature,
        IncidentKind,
        IncidentState,
        MonitorProgress,
        Verdict,
        VersionComparison,
    )
    from slipway.client.types.monitor import (
        CalibrationBin,
        DeadLetter,
        LabelCoverage,
        PerformanceWindow,
        PredictionCount,
        PredictionWindow,
        RecordedLabels,
        VersionCount,
    )
    from slipway.client.types.registry import (
        Alias,
        Artifact,
        CodeReference,
        ColumnSpec,
        DataReference,
        DataType,
        Endpoint,
        EndpointChange,
        EndpointRevision,
        Lineage,
        Model,
        ModelVersion,
        Route,
        Signature,
        TensorSpec,
    )
    from slipway.client.types.rollouts import Rollout, RolloutKind, RolloutPlan, RolloutState, RolloutStep
    from slipway.client.types.statistics import (
        ArmStatistics,
        Distribution,
        EndpointStatistics,
        GatewayStatistics,
        VersionStatistics,
        WorkerStatistics,
    )
    from slipway.client.types.training import (
        LogLine,
        Parameter,
        Run,
        RunState,
        Step,
        StepSpec,
        StepState,
        Trigger,
        Workflow,
    )
    from slipway.client.types.training_sets import (
        TrainingSet,
        TrainingSetColumn,
        TrainingSetInput,
        TrainingSetState,
    )
    from slipway.errors import Kind, SlipwayError

_HOMES = {
    "slipway.client._async.slipway": "AsyncSlipway",
    "slipway.client._sync.slipway": "Slipway",
    "slipway.client.types.baselines": "Baseline FeatureBaseline PerformanceBaseline",
    "slipway.client.types.endpoints": "DefaultAnswer Experiment FallbackVersion Guardrails RevisionCause",
    "slipway.client.types.features": (
        "Aggregation AggregationFunction Feature FeatureService FeatureStatus FeatureView OnlineColumn OnlineFeatures "
        "OnlineStore Pushed Source ValueType Watermark"
    ),
    "slipway.client.types.inference": (
        "Answered EndpointStatus Prediction PredictionLog Question RouteStatus ServedEndpoints TenantStatus "
        "VersionState"
    ),
    "slipway.client.types.judgement": (
        "Decision FeatureWindow Harm Incident IncidentFeature IncidentKind IncidentState MonitorProgress Verdict "
        "VersionComparison"
    ),
    "slipway.client.types.monitor": (
        "CalibrationBin DeadLetter LabelCoverage PerformanceWindow PredictionCount PredictionWindow RecordedLabels "
        "VersionCount"
    ),
    "slipway.client.types.registry": (
        "Alias Artifact CodeReference ColumnSpec DataReference DataType Endpoint EndpointChange EndpointRevision "
        "Lineage Model ModelVersion Route Signature TensorSpec"
    ),
    "slipway.client.types.rollouts": "Rollout RolloutKind RolloutPlan RolloutState RolloutStep",
    "slipway.client.types.statistics": (
        "ArmStatistics Distribution EndpointStatistics GatewayStatistics VersionStatistics WorkerStatistics"
    ),
    "slipway.client.types.training": "LogLine Parameter Run RunState Step StepSpec StepState Trigger Workflow",
    "slipway.client.types.training_sets": "TrainingSet TrainingSetColumn TrainingSetInput TrainingSetState",
    "slipway.errors": "Kind SlipwayError",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Aggregation",
    "AggregationFunction",
    "Alias",
    "Answered",
    "ArmStatistics",
    "Artifact",
    "AsyncSlipway",
    "Baseline",
    "CalibrationBin",
    "CodeReference",
    "ColumnSpec",
    "DataReference",
    "DataType",
    "DeadLetter",
    "Decision",
    "DefaultAnswer",
    "Distribution",
    "Endpoint",
    "EndpointChange",
    "EndpointRevision",
    "EndpointStatistics",
    "EndpointStatus",
    "Experiment",
    "FallbackVersion",
    "Feature",
    "FeatureBaseline",
    "FeatureService",
    "FeatureStatus",
    "FeatureView",
    "FeatureWindow",
    "GatewayStatistics",
    "Guardrails",
    "Harm",
    "Incident",
    "IncidentFeature",
    "IncidentKind",
    "IncidentState",
    "Kind",
    "LabelCoverage",
    "Lineage",
    "LogLine",
    "Model",
    "ModelVersion",
    "MonitorProgress",
    "OnlineColumn",
    "OnlineFeatures",
    "OnlineStore",
    "Parameter",
    "PerformanceBaseline",
    "PerformanceWindow",
    "Prediction",
    "PredictionCount",
    "PredictionLog",
    "PredictionWindow",
    "Pushed",
    "Question",
    "RecordedLabels",
    "RevisionCause",
    "Rollout",
    "RolloutKind",
    "RolloutPlan",
    "RolloutState",
    "RolloutStep",
    "Route",
    "RouteStatus",
    "Run",
    "RunState",
    "ServedEndpoints",
    "Signature",
    "Slipway",
    "SlipwayError",
    "Source",
    "Step",
    "StepSpec",
    "StepState",
    "TenantStatus",
    "TensorSpec",
    "TrainingSet",
    "TrainingSetColumn",
    "TrainingSetInput",
    "TrainingSetState",
    "Trigger",
    "ValueType",
    "Verdict",
    "VersionComparison",
    "VersionCount",
    "VersionState",
    "VersionStatistics",
    "Watermark",
    "WorkerStatistics",
    "Workflow",
]


def __getattr__(name: str) -> object:
    """Import a name's module when it is first asked for: values alone need no gRPC."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value
