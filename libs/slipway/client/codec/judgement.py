"""The monitor's messages on drift, incidents and verdicts."""

from __future__ import annotations

from datetime import UTC

from google.protobuf.message import Message

from slipway.client.codec.scalars import Names, moment
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
from slipway.gen.slipway.monitor.v1 import monitor_pb2 as pb
from slipway.gen.slipway.monitor.v1 import resources_pb2 as res

_KINDS = Names(res.IncidentKind, "INCIDENT_KIND_", IncidentKind)
_STATES = Names(res.IncidentState, "INCIDENT_STATE_", IncidentState)
_DECISIONS = Names(res.Decision, "DECISION_", Decision)


def decode_feature_window(message: res.FeatureWindow) -> FeatureWindow:
    """Decode a feature's window."""
    return FeatureWindow(
        endpoint=message.endpoint,
        model=message.model,
        version=message.version,
        feature=message.feature,
        start_time=message.start_time.ToDatetime(tzinfo=UTC),
        end_time=message.end_time.ToDatetime(tzinfo=UTC),
        rows=message.rows,
        nulls=message.nulls,
        distance=_known(message, "distance"),
        threshold=_known(message, "threshold"),
        importance=message.importance,
        drifted=message.drifted,
        counts=tuple(message.counts),
    )


def decode_incident(message: res.Incident) -> Incident:
    """Decode an incident."""
    harm = message.harm
    return Incident(
        id=message.id,
        endpoint=message.endpoint,
        model=message.model,
        version=message.version,
        kind=_KINDS.name(message.kind),
        state=_STATES.name(message.state),
        start_time=message.start_time.ToDatetime(tzinfo=UTC),
        trigger_time=message.trigger_time.ToDatetime(tzinfo=UTC),
        harm=Harm(harm.metric, harm.baseline, harm.observed, harm.threshold, harm.rows),
        features=tuple(
            IncidentFeature(one.name, one.distance, one.threshold, one.importance, one.null_rate)
            for one in message.features
        ),
        create_time=moment(message, "create_time"),
        close_time=moment(message, "close_time"),
        close_reason=message.close_reason,
    )


def decode_verdict(message: res.Verdict) -> Verdict:
    """Decode a verdict."""
    return Verdict(
        endpoint=message.endpoint,
        rollout_id=message.rollout_id,
        step=message.step,
        decision=_DECISIONS.name(message.decision),
        reason=message.reason,
        labels=message.labels,
        harm=message.harm,
        harm_lower=message.harm_lower,
        harm_upper=message.harm_upper,
        candidate_auc=_known(message, "candidate_auc"),
        baseline_auc=_known(message, "baseline_auc"),
        event_time=moment(message, "event_time"),
        create_time=moment(message, "create_time"),
    )


def decode_comparison(message: pb.CompareVersionsResponse) -> VersionComparison:
    """Decode two versions on the same predictions."""
    names = ("auc", "other_auc", "log_loss", "other_log_loss")
    return VersionComparison(message.labels, *(_known(message, name) for name in names))


def decode_progress(message: res.MonitorProgress) -> MonitorProgress:
    """Decode how far the monitor has come."""
    return MonitorProgress(
        *(moment(message, name) for name in ("predictions_time", "labels_time", "judged_time")),
    )


def _known(message: Message, field: str) -> float | None:
    return float(getattr(message, field)) if message.HasField(field) else None
