from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from slipway.client import (
    Decision,
    Harm,
    IncidentFeature,
    IncidentKind,
    IncidentState,
    MonitorProgress,
    VersionComparison,
)
from slipway.errors import InvalidInput


def second(number: int) -> datetime:
    return datetime(1970, 1, 1, 0, 0, number, tzinfo=UTC)


def test_feature_windows(client: Any) -> None:
    told, silent = client.monitor.feature_windows("late", feature="delay", start=second(2), drifted_only=True)
    assert (told.endpoint, told.feature, told.start_time, told.end_time) == ("late", "delay", second(2), second(9))
    assert (told.rows, told.nulls, told.distance, told.threshold, told.drifted) == (4, 1, 0.0, 0.1, True)
    assert (told.counts, silent.distance, silent.threshold) == ((), None, None)
    told, _ = client.monitor.feature_windows(histograms=True)
    assert told.counts == (1, 2)


def test_incidents(client: Any) -> None:
    going_on, ended = client.monitor.incidents("late")
    assert (going_on.kind, going_on.state) == (IncidentKind.PERFORMANCE, IncidentState.OPEN)
    assert (going_on.start_time, going_on.trigger_time) == (second(1), second(2))
    assert going_on.harm == Harm("auc", 0.75, 0.5, 0.7, 9)
    assert going_on.features == (IncidentFeature("delay", 0.5, 0.1, 0.25, 0.0),)
    assert (ended.kind, ended.state, ended.close_reason) == (
        IncidentKind.UNSPECIFIED,
        IncidentState.CLOSED,
        "well again",
    )
    assert [one.id for one in client.monitor.incidents(open_only=True)] == ["i1"]


def test_verdicts(client: Any) -> None:
    (verdict,) = client.monitor.verdicts("late")
    assert (verdict.rollout_id, verdict.step, verdict.decision) == ("r1", 1, Decision.PROMOTE)
    assert (verdict.harm, verdict.harm_lower, verdict.harm_upper) == (-0.5, -1, 0)
    assert (verdict.candidate_auc, verdict.baseline_auc, verdict.create_time) == (0.75, None, None)


def test_comparison_and_progress(client: Any) -> None:
    assert client.monitor.compare("late", "echo", 1, 2) == VersionComparison(3, 0.0, None, 0.5, None)
    assert client.monitor.progress("late") == MonitorProgress(second(1))
    with pytest.raises(InvalidInput, match="other"):
        client.monitor.compare("late", "echo", 1, -2)
