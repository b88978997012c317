"""Trials, verdicts and comparisons in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.monitor.adapters import tables
from services.monitor.adapters.announcing import announce
from services.monitor.adapters.spans import moments
from services.monitor.adapters.upsert import dialect
from services.monitor.codec.changes import verdict_reached
from services.monitor.domain.comparison import Scored
from services.monitor.domain.trial import PairSums, Trial
from services.monitor.domain.verdict import Decision, Interval, Verdict
from services.monitor.domain.window import Span
from slipway.paging import Page

_trial, _verdict = tables.trial, tables.verdict


class SqlTrials:
    """See Trials; in the transaction of ``connection``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def running(self, endpoint: str) -> Sequence[tuple[Trial, PairSums]]:
        """See Trials."""
        columns = _trial.c
        query = select(_trial).where(columns.endpoint == endpoint, columns.running).order_by(columns.step)
        return [(Trial(**row.body), _sums(row)) for row in await self._connection.execute(query)]

    async def start(self, trial: Trial) -> None:
        """See Trials."""
        row = {**_key(trial), "running": True, "body": asdict(trial), **_columns(PairSums())}
        await self._connection.execute(dialect(self._connection).insert(_trial).on_conflict_do_nothing(), [row])

    async def stop_all_but(self, endpoint: str, trial: Trial | None) -> None:
        """See Trials."""
        columns = _trial.c
        others = and_(columns.endpoint == endpoint, columns.running)
        if trial:
            others &= ~and_(columns.rollout_id == trial.rollout_id, columns.step == trial.step)
        await self._connection.execute(update(_trial).where(others).values(running=False))

    async def put_sums(self, trial: Trial, sums: PairSums) -> None:
        """See Trials."""
        await self._connection.execute(update(_trial).where(_this(trial)).values(**_columns(sums)))

    async def conclude(self, trial: Trial, verdict: Verdict) -> None:
        """See Trials."""
        row = {**asdict(verdict), **asdict(verdict.harm), "decision": verdict.decision.value}
        del row["harm"]
        await self._connection.execute(insert(_verdict), [row])
        await self._connection.execute(update(_trial).where(_this(trial)).values(running=False))
        await announce(self._connection, verdict_reached(verdict))


def _key(trial: Trial) -> dict[str, object]:
    return {"endpoint": trial.endpoint, "rollout_id": trial.rollout_id, "step": trial.step}


def _this(trial: Trial) -> Any:
    return and_(*(_trial.c[name] == value for name, value in _key(trial).items()))


def _columns(sums: PairSums) -> dict[str, object]:
    return {
        "labels": sums.labels,
        "total": sums.total,
        "squared": sums.squared,
        "newest_label_us": sums.newest_label_us,
        "candidate_bins": sorted(sums.candidate_bins.items()),
        "baseline_bins": sorted(sums.baseline_bins.items()),
    }


def _sums(row: Any) -> PairSums:
    bins = dict(row.candidate_bins), dict(row.baseline_bins)
    return PairSums(row.labels, row.total, row.squared, row.newest_label_us, *bins)


async def verdicts(connection: AsyncConnection, endpoint: str, page: Page) -> Sequence[tuple[int, Verdict]]:
    """See Reader.verdicts."""
    columns = _verdict.c
    query = select(_verdict).order_by(columns.position.desc()).limit(page.fetch)
    if endpoint:
        query = query.where(columns.endpoint == endpoint)
    if page.after:
        query = query.where(columns.position < page.after[0])
    return [(row.position, _verdict_of(row)) for row in await connection.execute(query)]


def _verdict_of(row: Any) -> Verdict:
    return Verdict(
        endpoint=row.endpoint,
        rollout_id=row.rollout_id,
        step=row.step,
        decision=Decision(row.decision),
        reason=row.reason,
        labels=row.labels,
        harm=Interval(row.mean, row.lower, row.upper),
        candidate_auc=row.candidate_auc,
        baseline_auc=row.baseline_auc,
        event_us=row.event_us,
        create_time=row.create_time,
    )


async def scored_by_both(
    connection: AsyncConnection, span: Span, model: str, version: int, other: int
) -> Sequence[Scored]:
    """See Reader.scored_by_both."""
    one, two, label = tables.prediction.alias("one"), tables.prediction.alias("two"), tables.label
    query = (
        select(one.c.prediction_id, one.c.score, two.c.score, label.c.value)
        .join(two, and_(two.c.endpoint == one.c.endpoint, two.c.prediction_id == one.c.prediction_id))
        .join(label, and_(label.c.endpoint == one.c.endpoint, label.c.prediction_id == one.c.prediction_id))
        .where(one.c.endpoint == span.endpoint, one.c.model == model, one.c.version == version)
        .where(two.c.model == model, two.c.version == other)
        .where(one.c.score.is_not(None), two.c.score.is_not(None), *moments(one.c.event_us, span))
        .order_by(one.c.prediction_id, one.c.route, two.c.route)
    )
    # Where a version scored a prediction by two arms, the first one's score is taken.
    found: dict[str, Scored] = {}
    for prediction_id, score, other_score, value in await connection.execute(query):
        found.setdefault(prediction_id, Scored(score, other_score, value))
    return list(found.values())
