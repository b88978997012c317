from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.monitor.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.monitor.domain.batch import Arm, Batch
from services.monitor.domain.columns import Column
from services.monitor.domain.feature import FeatureCounts, FeatureWindow, VersionWindow, count_features, told
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.harm import (
    Cause,
    Finding,
    Harm,
    IncidentKind,
    Limits,
    data_finding,
    performance_finding,
)
from services.monitor.domain.incident import Streak, opened, recovered
from services.monitor.domain.performance import Sums, WindowKey
from services.monitor.domain.progress import Progress

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARM = Arm("e", "m", 1, "main")
LIMITS = Limits()
DELAY = FeatureBaseline("delay", 0.8, (0.0, 10.0), (), (100, 800, 100), 0, 0.05)
CARRIER = FeatureBaseline("carrier", 0.2, (), ("AA", "UA"), (500, 400, 100), 0, None)
BASELINE = Baseline("m", 1, (DELAY, CARRIER))


def window(number: int) -> VersionWindow:
    return VersionWindow("e", "m", 1, number * 100, (number + 1) * 100)


def performance(loss: float, rows: int = 400) -> PerformanceWindow:
    """All scores in one bin: an AUC of a half."""
    sums = Sums(log_loss=round(loss * rows * 1e9), bins={9: rows // 2, 521: rows - rows // 2})
    return PerformanceWindow(WindowKey(ARM, 0, 100), sums)


@pytest.mark.parametrize(
    ("base", "loss", "metric"),
    [
        (PerformanceBaseline(log_loss=0.5, log_loss_spread=0.1), 0.61, "log_loss"),
        (PerformanceBaseline(log_loss=0.5, log_loss_spread=0.1), 0.59, None),
        (PerformanceBaseline(log_loss=0.5), 0.519, None),
        (PerformanceBaseline(log_loss=0.5), 0.521, "log_loss"),
        (PerformanceBaseline(auc=0.6, auc_spread=0.2), 9.0, None),
        (PerformanceBaseline(auc=0.6, auc_spread=0.05), 0.1, "auc"),
        (PerformanceBaseline(auc=0.53, log_loss=0.5), 5.0, "log_loss"),
    ],
)
def test_harm_is_beyond_the_weeks_own_spread_and_the_floor(
    base: PerformanceBaseline, loss: float, metric: str | None
) -> None:
    finding = performance_finding(performance(loss), base, [], LIMITS)
    assert finding is not None
    assert (finding.harm.metric if finding.harm else None) == metric


def test_few_labels_or_no_baseline_say_nothing() -> None:
    assert performance_finding(performance(9.0, 199), PerformanceBaseline(log_loss=0.1), [], LIMITS) is None
    assert performance_finding(performance(9.0), PerformanceBaseline(), [], LIMITS) is None


def test_causes_are_what_drifted_and_matters_the_gravest_first() -> None:
    def seen(name: str, importance: float, distance: float) -> FeatureWindow:
        return FeatureWindow(window(0), name, importance, (300, 0), distance, 0.2)

    features = [seen("a", 0.1, 0.4), seen("b", 0.5, 0.3), seen("c", 0.9, 0.1), seen("d", 0.005, 0.9)]
    finding = performance_finding(performance(9.0), PerformanceBaseline(log_loss=0.1), features, LIMITS)
    assert finding is not None
    assert [cause.name for cause in finding.causes] == ["b", "a"]


def test_data_is_bad_when_an_important_feature_loses_its_values() -> None:
    half = FeatureWindow(window(0), "delay", 0.8, (150, 150), 0.4, 0.1)
    found = data_finding([half, replace(half, feature="idle", importance=0.01)], [0.1, 0.0], LIMITS)
    assert found is not None
    assert found.harm == Harm("null_rate", 0.1, 0.5, pytest.approx(0.3), 300)
    assert [cause.name for cause in found.causes] == ["delay"]
    well = data_finding([half], [0.4], LIMITS)
    assert well is not None
    assert well.harm is None
    assert data_finding([replace(half, counts=(1, 1))], [0.0], LIMITS) is None


CAUSES = tuple(Cause(name, 0.5, 0.1, 0.5, 0.0) for name in ("a", "b"))
BAD = Finding(IncidentKind.PERFORMANCE, Harm("auc", 0.9, 0.5, 0.8, 300), CAUSES)
WELL = Finding(IncidentKind.PERFORMANCE, None)


@pytest.mark.parametrize(
    ("findings", "opens", "ends"),
    [
        ([BAD], False, False),
        ([BAD, BAD], True, False),
        ([BAD, WELL, BAD], False, False),
        ([WELL, BAD, BAD], True, False),
        ([BAD, BAD, WELL], False, False),
        ([BAD, BAD, WELL, WELL], False, True),
    ],
)
def test_two_windows_in_a_row_open_and_two_end(findings: list[Finding], opens: bool, ends: bool) -> None:
    streak = Streak(IncidentKind.PERFORMANCE)
    for number, finding in enumerate(findings[:-1]):
        streak = streak.after(window(number), finding)
    last, finding = window(len(findings) - 1), findings[-1]
    incident = opened(streak, last, finding, newest_label_us=last.end_us + 5, now=NOW, new_id="i")
    assert (incident is not None) is opens
    assert bool(recovered(streak.after(last, finding))) is ends
    if incident:
        assert (incident.start_us, incident.trigger_us) == (last.start_us - 100, last.end_us + 5)


def test_an_incident_names_what_lasted_else_what_is_there_now() -> None:
    streak = Streak(IncidentKind.PERFORMANCE).after(window(0), replace(BAD, causes=CAUSES[:1]))
    incident = opened(streak, window(1), BAD, newest_label_us=None, now=NOW, new_id="i")
    assert incident is not None
    assert (incident.causes, incident.trigger_us) == (CAUSES[:1], 200)
    other = opened(streak, window(1), replace(BAD, causes=CAUSES[1:]), newest_label_us=0, now=NOW, new_id="i")
    assert other is not None
    assert (other.causes, other.trigger_us) == (CAUSES[1:], 200)
    data = Streak(IncidentKind.DATA).after(window(0), replace(BAD, kind=IncidentKind.DATA, causes=CAUSES[:1]))
    moved = replace(BAD, kind=IncidentKind.DATA, causes=CAUSES[1:])
    assert opened(data, window(1), moved, newest_label_us=None, now=NOW, new_id="i") is None


Row = tuple[int, float, str | None]
ROWS = st.lists(
    st.tuples(st.integers(-200, 200), st.floats(-5, 20) | st.just(float("nan")), st.sampled_from(["AA", "ZZ", None])),
    min_size=1,
    max_size=30,
)


def batch(rows: list[Row]) -> Batch:
    columns = {"delay": Column(np.array([row[1] for row in rows])), "carrier": Column([row[2] for row in rows])}
    return Batch("b", ARM, [""] * len(rows), [row[0] for row in rows], features=columns)


@given(ROWS, ROWS)
def test_feature_counts_do_not_depend_on_batches(one: list[Row], two: list[Row]) -> None:
    baselines = {("m", 1): BASELINE}
    whole = count_features([batch([*one, *two])], baselines, 100)
    assert count_features([batch(one), batch(two)], baselines, 100) == whole
    assert sum(counts.rows for counts in whole.values()) == len(one) + len(two)
    for counts in whole.values():
        assert [sum(some) for _, some in BASELINE.split(counts.counts)] == [counts.rows] * 2


def test_a_column_that_is_missing_or_of_another_type_has_no_values() -> None:
    odd = Batch("b", ARM, ["", ""], [0, 1], features={"delay": Column(["x", "y"])})
    (counts,) = count_features([odd], {("m", 1): BASELINE}, 100).values()
    assert counts == FeatureCounts(2, (0, 0, 0, 2, 0, 0, 0, 2))
    carrier, delay = told(window(0), counts, BASELINE, 0.1)
    assert (delay.null_rate, delay.distance, carrier.threshold, carrier.drifted) == (1.0, 1.0, None, False)
    # Two rows may be anything by chance; a hundred may not.
    assert not delay.drifted
    many = FeatureCounts(100, tuple(50 * count for count in counts.counts))
    assert list(told(window(0), many, BASELINE, 0.1))[1].drifted
    assert count_features([odd], {}, 100) == {}


def test_progress_goes_forward_alone() -> None:
    reached = Progress().seen([5, 3], [])
    assert (reached, reached.both_us) == (Progress(5, None), None)
    assert reached.seen([4], [2, 1]) == Progress(5, 2)
    assert Progress(5, 2).both_us == 2
