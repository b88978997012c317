"""The story told: its steps in order, shown as they go, and its figures asked of the platform at the end."""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from examples.flights import story
from examples.flights.outcome import Result
from examples.flights.screen import Screen
from examples.flights.warehouse import write_sources
from slipway.client import AsyncSlipway, ModelVersion
from slipway.config import data_root
from slipway.events import Publisher
from slipway.events.connect import open_log
from slipway.supervisor import discover_events

__all__ = ["tell", "write_sources"]

_PATIENCE_S = 90.0


async def tell(screen: Screen, sources: Path, *, end: datetime, every: int, start: datetime = story.START) -> Result:
    """Train, release, replay to ``end``, and what came of it. Needs a platform whose catalogue has the definitions.

    Raises AlreadyLived when its online store knows what came after ``start``.
    """
    began = time.perf_counter()
    url = os.environ.get("SLIPWAY_EVENTS") or discover_events() or f"sqlite:///{data_root()}/events/log.db"
    async with AsyncSlipway() as slipway, open_log(url) as log:
        await story.require_before(slipway, start)
        static, champion = await _made(screen, slipway, start)
        told = await _replayed(screen, slipway, log.publisher(), sources, champion, start=start, end=end, every=every)
        with screen.step("figures", "Ask the monitor and the registry what came of it"):
            return await _figures(slipway, static, champion, told, seconds=screen.seconds, began=began)


async def _made(screen: Screen, slipway: AsyncSlipway, start: datetime) -> tuple[ModelVersion, ModelVersion]:
    cutoff = start.isoformat()
    stem = uuid.uuid4().hex
    with screen.step("train", "Train on the schedule alone, and trees and a net on features right in time") as said:
        static, champion = await asyncio.gather(
            story.train(slipway, {"feature_set": "static", "cutoff": cutoff, "net": False}, f"static-{stem}", _quiet),
            story.train(slipway, {"cutoff": cutoff}, f"rolling-{stem}", screen.note),
        )
        said.append(f"versions {static.number} and {champion.number}, AUC {champion.metrics['auc']:.4f} held out")
    with screen.step("release", "Release it behind the endpoint flight-delay, the other in its shadow"):
        await story.release(slipway, static, _PATIENCE_S, screen.note)
        await story.arm(slipway, {"net": False, "folds": 3})
    return static, champion


async def _replayed(
    screen: Screen,
    slipway: AsyncSlipway,
    publisher: Publisher,
    sources: Path,
    champion: ModelVersion,
    *,
    start: datetime,
    end: datetime,
    every: int,
) -> story.Told:
    title = f"Replay {start:%d %B} to {end:%d %B}, hour by hour: publish, wait for the watermark, ask, label"
    with screen.step("replay", title) as said:
        told = await story.replay(
            slipway,
            publisher,
            await story.views(slipway, sources),
            story.questions(champion, end, every, start),
            start=start,
            end=end,
            progress=screen.note,
            said=screen.said,
        )
        said.append(f"{told.answers.predictions:,} flights asked about")
    return told


async def _figures(
    slipway: AsyncSlipway,
    static: ModelVersion,
    champion: ModelVersion,
    told: story.Told,
    *,
    seconds: Mapping[str, float],
    began: float,
) -> Result:
    watched, answers = told.watched, told.answers
    after = (await slipway.registry.get_endpoint(story.ENDPOINT)).routes[0].resolved_version
    challenger = _challenger(watched.runs)
    alone = await story.compare(slipway, champion.number, static.number)
    pair = None
    if challenger is not None and watched.incidents:
        pair = await story.compare(slipway, champion.number, challenger, start=watched.incidents[0].trigger_time)
    [coverage] = await slipway.monitor.coverage(story.ENDPOINT)
    count = await slipway.monitor.count(story.ENDPOINT)
    return Result(
        train_rows=champion.lineage.data.row_count if champion.lineage.data else 0,
        auc_static=alone.other_auc,
        auc_rolling=alone.auc,
        predictions=answers.predictions,
        labels_joined=coverage.labels_joined,
        latency_ms={"p50": round(answers.latency_ms(0.5), 3), "p99": round(answers.latency_ms(0.99), 3)},
        incident=_plain(watched.incidents[0]) if watched.incidents else None,
        versions=[_version(one) async for one in slipway.registry.versions(story.ENDPOINT)][::-1],
        champion_before=champion.number,
        champion_after=after,
        auc_champion_before=pair.auc if pair else None,
        auc_champion_after=pair.other_auc if pair else None,
        seconds=round(time.perf_counter() - began + sum(seconds.get(one, 0) for one in _BEFORE), 1),
        challenger=challenger,
        rollout=_plain(watched.rollout) if watched.rollout else None,
        verdicts=[_plain(one) for one in watched.verdicts],
        counted=count.predictions,
        unlabelled=answers.predictions - coverage.labels_joined,
        degraded=answers.degraded,
        compared_flights={"static": alone.labels, "champions": pair.labels if pair else 0},
        steps_s=dict(seconds) | {f"replay_{name}": round(spent, 1) for name, spent in told.spent_s.items()},
    )


def _quiet(_: str) -> None:
    return


_BEFORE = ("up", "read", "define")


def _challenger(runs: Any) -> int | None:
    for run in runs:
        for step in run.steps:
            if step.name == "register" and step.summary:
                return int(float(str(step.summary["version"])))
    return None


def _version(version: ModelVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "train_rows": version.lineage.data.row_count if version.lineage.data else 0,
        "training_set": version.lineage.data.training_set if version.lineage.data else "",
        "run": version.lineage.run_id,
        "metrics": dict(version.metrics),
    }


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(asdict(value), default=lambda one: getattr(one, "isoformat", lambda: str(one))()))
