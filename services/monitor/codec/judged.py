"""Feature windows, incidents, verdicts, comparisons and progress as the contract has them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.monitor.domain.comparison import Comparison
from services.monitor.domain.feature import FeatureWindow
from services.monitor.domain.incident import Incident
from services.monitor.domain.progress import Progress
from services.monitor.domain.verdict import Verdict
from slipway.gen.slipway.monitor.v1 import monitor_pb2, resources_pb2


def encode_feature_window(told: FeatureWindow, *, with_counts: bool) -> resources_pb2.FeatureWindow:
    """A feature's window as the contract has it."""
    window = told.window
    return resources_pb2.FeatureWindow(
        endpoint=window.endpoint,
        model=window.model,
        version=window.version,
        feature=told.feature,
        start_time=stamp(window.start_us),
        end_time=stamp(window.end_us),
        rows=told.rows,
        nulls=told.nulls,
        distance=told.distance,
        threshold=told.threshold,
        importance=told.importance,
        drifted=told.drifted,
        counts=told.counts[:-1] if with_counts else (),
    )


def encode_incident(incident: Incident) -> resources_pb2.Incident:
    """An incident as the contract has it."""
    return resources_pb2.Incident(
        id=incident.id,
        endpoint=incident.endpoint,
        model=incident.model,
        version=incident.version,
        kind=f"INCIDENT_KIND_{incident.kind.name}",
        state=resources_pb2.INCIDENT_STATE_OPEN if incident.is_open else resources_pb2.INCIDENT_STATE_CLOSED,
        start_time=stamp(incident.start_us),
        trigger_time=stamp(incident.trigger_us),
        harm=resources_pb2.Harm(**asdict(incident.harm)),
        features=[resources_pb2.IncidentFeature(**asdict(cause)) for cause in incident.causes],
        create_time=_moment(incident.create_time),
        close_time=_moment(incident.close_time),
        close_reason=incident.close_reason,
    )


def encode_verdict(verdict: Verdict) -> resources_pb2.Verdict:
    """A verdict as the contract has it."""
    return resources_pb2.Verdict(
        endpoint=verdict.endpoint,
        rollout_id=verdict.rollout_id,
        step=verdict.step,
        decision=f"DECISION_{verdict.decision.name}",
        reason=verdict.reason,
        labels=verdict.labels,
        harm=verdict.harm.mean,
        harm_lower=verdict.harm.lower,
        harm_upper=verdict.harm.upper,
        candidate_auc=verdict.candidate_auc,
        baseline_auc=verdict.baseline_auc,
        event_time=stamp(verdict.event_us),
        create_time=_moment(verdict.create_time),
    )


def encode_comparison(found: Comparison) -> monitor_pb2.CompareVersionsResponse:
    """Two versions on the same predictions, as the contract has them."""
    return monitor_pb2.CompareVersionsResponse(**asdict(found))


def encode_progress(progress: Progress) -> monitor_pb2.GetProgressResponse:
    """How far the monitor has come, as the contract has it."""
    times = {
        "predictions_time": progress.predictions_us,
        "labels_time": progress.labels_us,
        "judged_time": progress.judged_us,
    }
    told = {name: stamp(time_us) for name, time_us in times.items() if time_us is not None}
    return monitor_pb2.GetProgressResponse(progress=resources_pb2.MonitorProgress(**told))


def stamp(moment_us: int) -> Timestamp:
    """Microseconds since 1970 as a message."""
    made = Timestamp()
    made.FromMicroseconds(moment_us)
    return made


def _moment(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    made = Timestamp()
    made.FromDatetime(moment)
    return made
