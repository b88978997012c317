from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.monitor.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.monitor.domain.batch import Arm
from services.monitor.domain.comparison import Scored
from services.monitor.domain.endpoint import Endpoint, Rollout, ServingArm, Step
from services.monitor.domain.feature import FeatureCounts, VersionWindow
from services.monitor.domain.harm import Cause, Harm, IncidentKind
from services.monitor.domain.incident import Incident, Streak
from services.monitor.domain.label import KeptLabel, Label
from services.monitor.domain.prediction import Prediction
from services.monitor.domain.progress import Progress
from services.monitor.domain.trial import PairSums, Trial
from services.monitor.domain.verdict import Decision, Interval, Verdict
from services.monitor.domain.window import Span
from services.monitor.ports import Windows
from slipway.paging import Page

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALL = Page(500, None)
WINDOW = VersionWindow("e", "m", 1, 0, 100)
CAUSE = Cause("delay", 0.5, 0.1, 0.8, 0.0)
INCIDENT = Incident("i", "e", "m", 1, IncidentKind.DATA, 0, 200, Harm("null_rate", 0, 1, 0.2, 9), (CAUSE,), NOW)
TRIAL = Trial("e", "r", 0, "m", 2, 1, 0.0, 0.05, 100, 1000, None)
VERDICT = Verdict("e", "r", 0, Decision.PROMOTE, "why", 9, Interval(-0.1, -0.2, 0.0), 0.75, None, 5, NOW)


async def test_what_the_registry_said_comes_back_as_it_was(windows: Windows) -> None:
    feature = FeatureBaseline("delay", 0.8, (0.5, 10.0), (), (1, 2, 3), 4, None)
    baseline = Baseline("m", 1, (feature,), PerformanceBaseline(auc=0.7))
    rollout = Rollout("r", "m", 2, 1, True, 0, (Step(1, 2),), 0.0, 0.05, None)
    endpoint = Endpoint("e", 7, (ServingArm("main", "m", 1, 3, False),), rollout)
    async with windows.write() as writer:
        await writer.registered.keep_baseline(baseline)
        await writer.registered.keep_endpoint(replace(endpoint, revision=6, rollout=None))
        await writer.registered.keep_endpoint(endpoint)
        await writer.keep_progress("e", Progress(1, None, 2))
    async with windows.read() as reader:
        assert (await reader.baseline("m", 1), await reader.baseline("m", 2)) == (baseline, None)
        assert (await reader.endpoint("e"), await reader.endpoint("f")) == (endpoint, None)
        assert (await reader.progress("e"), await reader.progress("f")) == (Progress(1, None, 2), Progress())
    async with windows.write() as writer:
        await writer.registered.drop_endpoint("e")
        assert await writer.endpoint("e") is None


async def test_feature_counts_add_up_and_are_read_from_a_window_on(windows: Windows) -> None:
    later = replace(WINDOW, start_us=100, end_us=200)
    async with windows.write() as writer:
        await writer.add_features({WINDOW: FeatureCounts(3, (1, 2, 0)), later: FeatureCounts(1, (0, 1, 0))})
        await writer.add_features({WINDOW: FeatureCounts(1, (0, 0, 1))})
    async with windows.read() as reader:
        first, second = (WINDOW, FeatureCounts(4, (1, 2, 1))), (later, FeatureCounts(1, (0, 1, 0)))
        assert await reader.features(Span(""), None, 9) == [first, second]
        assert await reader.features(Span("e"), later, 9) == [second]
        assert await reader.features(Span("other"), None, 9) == []


async def test_an_incident_is_put_once_and_ends(windows: Windows) -> None:
    ended = INCIDENT.closed("well", NOW)
    async with windows.write() as writer:
        await writer.judgements.put_incident(INCIDENT)
        await writer.judgements.put_incident(replace(INCIDENT, id="j", endpoint="f"))
        assert await writer.judgements.open_incidents("e") == [INCIDENT]
        await writer.judgements.put_incident(ended)
        assert await writer.judgements.open_incidents("e") == []
    async with windows.read() as reader:
        found = await reader.incidents("", ALL, open_only=False)
        assert [incident.id for _, incident in found] == ["j", "i"]
        assert [one for _, one in await reader.incidents("e", ALL, open_only=False)] == [ended]
        assert await reader.incidents("e", ALL, open_only=True) == []
        assert await reader.incidents("", Page(5, (found[0][0],)), open_only=False) == found[1:]


async def test_a_streak_is_by_version_and_kind(windows: Windows) -> None:
    streak = Streak(IncidentKind.DATA, 1, 0, 5, (CAUSE,))
    async with windows.write() as writer:
        await writer.judgements.keep_streak(WINDOW, Streak(IncidentKind.DATA, good=1))
        await writer.judgements.keep_streak(WINDOW, streak)
        assert await writer.judgements.streak(replace(WINDOW, start_us=100), IncidentKind.DATA) == streak
        assert await writer.judgements.streak(replace(WINDOW, version=2), IncidentKind.DATA) == Streak(
            IncidentKind.DATA
        )


async def test_a_trial_runs_until_its_one_verdict(windows: Windows) -> None:
    sums = PairSums(9, -(10**30), 10**200, 5, {3: 1}, {515: 2})
    async with windows.write() as writer:
        await writer.trials.start(TRIAL)
        await writer.trials.put_sums(TRIAL, sums)
        await writer.trials.start(TRIAL)
        assert await writer.trials.running("e") == [(TRIAL, sums)]
        await writer.trials.conclude(TRIAL, VERDICT)
        await writer.trials.start(TRIAL)
        assert await writer.trials.running("e") == []
        following = replace(TRIAL, step=1)
        await writer.trials.start(following)
        await writer.trials.stop_all_but("e", following)
        assert [trial for trial, _ in await writer.trials.running("e")] == [following]
        await writer.trials.stop_all_but("e", None)
        assert await writer.trials.running("e") == []
    async with windows.read() as reader:
        assert [verdict for _, verdict in await reader.verdicts("e", ALL)] == [VERDICT]
        assert await reader.verdicts("f", ALL) == []

    async def again() -> None:
        async with windows.write() as writer:
            await writer.trials.conclude(TRIAL, VERDICT)

    with pytest.raises(Exception, match=r"(?i)exist|unique|conflict"):
        await again()


async def test_what_both_versions_scored_is_found_once_an_id(windows: Windows) -> None:
    def row(prediction_id: str, version: int, score: float | None, route: str = "main") -> Prediction:
        return Prediction(prediction_id, Arm("e", "m", version, route), 5, score, 100)

    rows = [row("a", 1, 0.1), row("a", 2, 0.2), row("a", 2, 0.3, "second"), row("b", 1, 0.1), row("c", 1, None)]
    async with windows.write() as writer:
        await writer.joins.keep_predictions([*rows, row("c", 2, 0.5), row("d", 1, 0.1), row("d", 2, 0.2)], NOW)
        known = KeptLabel(Label(1.0, 9), "", joined=True)
        await writer.joins.keep_labels("e", dict.fromkeys("abc", known), NOW)
        assert await writer.scored_by_both(Span("e"), "m", 2, 1) == [Scored(0.2, 0.1, 1.0)]
        assert await writer.scored_by_both(Span("e", NOW), "m", 2, 1) == []
