"""Judging windows, each once, when predictions and labels both have passed them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

from services.monitor.domain.batch import Arm
from services.monitor.domain.feature import FeatureCounts, VersionWindow, told
from services.monitor.domain.figures import PerformanceWindow
from services.monitor.domain.harm import Finding, Limits, data_finding, performance_finding
from services.monitor.domain.incident import opened, recovered
from services.monitor.domain.performance import Sums, WindowKey
from services.monitor.domain.progress import Progress
from services.monitor.domain.window import Span
from services.monitor.engine.baselines import Baselines
from services.monitor.ports import Writer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PIECE = 200


class Judging:
    """Judges windows ``window_s`` wide, ``maturity_s`` seconds of event time after their end.

    What it goes by and what comes of it share the transaction that brought event time forward: a window is judged once,
    whatever happens, and not again when a label comes later still. Every version that answers is judged; one that only
    scored in the shadow, or is on trial, is not.
    """

    def __init__(self, baselines: Baselines, limits: Limits, *, window_s: int, maturity_s: float) -> None:
        self._baselines = baselines
        self._limits = limits
        self._window_us = window_s * 1_000_000
        self._maturity_us = round(maturity_s * 1e6)

    async def advance(self, windows: Writer, endpoint: str, progress: Progress, now: datetime) -> Progress:
        """Judge what is due at ``progress``; how far that brings it."""
        if progress.both_us is None:
            return progress
        due_us = (progress.both_us - self._maturity_us) // self._window_us * self._window_us
        if progress.judged_us is not None and due_us <= progress.judged_us:
            return progress
        unsettled = await windows.waiting.unsettled(endpoint)
        found = [
            (window, counts)
            async for window, counts in self._ended(windows, endpoint, progress.judged_us, due_us)
            if (window.model, window.version) not in unsettled
        ]
        await self._judge_all(windows, endpoint, found, now)
        if not found and progress.judged_us is None:
            return progress
        return Progress(progress.predictions_us, progress.labels_us, due_us)

    async def catch_up(self, windows: Writer, endpoint: str, version: tuple[str, int], now: datetime) -> None:
        """Judge what passed while the features of ``version`` waited for its baseline, and what is due at last.

        None of its windows was judged before: it had none until the first of its features were counted, and was left
        out until now.
        """
        progress = await windows.progress(endpoint)
        if progress.judged_us is not None:
            passed = [
                (window, counts)
                async for window, counts in self._ended(windows, endpoint, None, progress.judged_us)
                if (window.model, window.version) == version
            ]
            await self._judge_all(windows, endpoint, passed, now)
        reached = await self.advance(windows, endpoint, progress, now)
        if reached != progress:
            await windows.keep_progress(endpoint, reached)

    async def _ended(
        self, windows: Writer, endpoint: str, after_us: int | None, until_us: int
    ) -> AsyncIterator[tuple[VersionWindow, FeatureCounts]]:
        """The windows that end after ``after_us`` (None: all) and at or before ``until_us``, the oldest first."""
        first = None if after_us is None else _moment(after_us - self._window_us)
        span = Span(endpoint, first, _moment(until_us))
        last: VersionWindow | None = None
        while True:
            piece = await windows.features(span, last, _PIECE)
            for window, counts in piece:
                if window != last and window.end_us <= until_us and (after_us is None or window.end_us > after_us):
                    yield window, counts
            if len(piece) < _PIECE:
                return
            last = piece[-1][0]

    async def _judge_all(
        self, windows: Writer, endpoint: str, found: Sequence[tuple[VersionWindow, FeatureCounts]], now: datetime
    ) -> None:
        endpoint_now = await windows.endpoint(endpoint)
        for window, counts in found:
            if endpoint_now is None or (window.model, window.version) in endpoint_now.answering:
                await self._judge(windows, window, counts, now)

    async def _judge(self, windows: Writer, window: VersionWindow, counts: FeatureCounts, now: datetime) -> None:
        baseline = (await self._baselines.of(windows, [(window.model, window.version)]))[window.model, window.version]
        features = list(told(window, counts, baseline, self._limits.drift_floor))
        null_rates = {feature.name: feature.null_rate for feature in baseline.features}
        sums = await windows.judgements.performance_of(window)
        performance = _performance(window, sums)
        findings = (
            performance_finding(performance, baseline.performance, features, self._limits),
            data_finding(features, [null_rates[one.feature] for one in features], self._limits),
        )
        for finding in filter(None, findings):
            await self._conclude(windows, window, finding, sums.newest_label_us, now)

    @staticmethod
    async def _conclude(
        windows: Writer, window: VersionWindow, finding: Finding, newest_label_us: int | None, now: datetime
    ) -> None:
        judgements = windows.judgements
        before = await judgements.streak(window, finding.kind)
        after = before.after(window, finding)
        await judgements.keep_streak(window, after)
        going_on = [
            one
            for one in await judgements.open_incidents(window.endpoint)
            if (one.model, one.version, one.kind) == (window.model, window.version, finding.kind)
        ]
        if going_on:
            if reason := recovered(after):
                await judgements.put_incident(going_on[0].closed(reason, now))
        elif incident := opened(
            before, window, finding, newest_label_us=newest_label_us, now=now, new_id=uuid.uuid4().hex
        ):
            await judgements.put_incident(incident)


def _performance(window: VersionWindow, sums: Sums) -> PerformanceWindow:
    arm = Arm(window.endpoint, window.model, window.version, "")
    return PerformanceWindow(WindowKey(arm, window.start_us, window.end_us), sums)


def _moment(moment_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment_us)
