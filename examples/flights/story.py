"""The example's story, one step a function: each takes the platform's client and says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from examples.flights.loop import Loop, Watched
from examples.flights.patience import insist, until
from examples.flights.questions import Questions
from examples.flights.replay import Answers, Replay
from examples.flights.streams import Stream
from examples.flights.warehouse import flights_timed
from examples.flights.workflow import ALIAS, MODEL, flights_delay
from slipway.client import AsyncSlipway, FeatureView, ModelVersion, Route, Run, Trigger, VersionComparison
from slipway.errors import Kind, SlipwayError, Unavailable
from slipway.events import Publisher

ENDPOINT = MODEL
FEATURE_SERVICE = "flight_delay"
TRIGGER = "flight-delay-incidents"
START = datetime(2013, 4, 1, tzinfo=UTC)
COOL_DOWN = timedelta(days=120)
Progress = Callable[[str], None]


class AlreadyLived(SlipwayError):
    """The platform knows what came after the story's start."""

    kind = Kind.FAILED_PRECONDITION
    reason = "ALREADY_LIVED"


@dataclass(frozen=True, slots=True)
class Told:
    """What the replay came to."""

    answers: Answers
    watched: Watched
    labelled: int
    spent_s: Mapping[str, float]


async def views(slipway: AsyncSlipway, folder: Path) -> list[Stream]:
    """The streams of every view of the catalogue whose source lies in ``folder``."""

    async def listed() -> list[FeatureView]:
        return [view async for view in slipway.features.views()]

    found = await insist(listed)
    return [Stream(view, _table(view, folder)) for view in found if view.source is not None]


async def train(slipway: AsyncSlipway, params: Mapping[str, Any], request_id: str, progress: Progress) -> ModelVersion:
    """Run the workflow on the scheduler and find the version that it registered. Raises Unavailable when it fails."""
    run = await slipway.training.submit(flights_delay.name, params, request_id=request_id)
    run = await until(lambda: _ended(slipway, run.id, progress), f"the run {run.id}", 600)
    if run.state != "succeeded":
        raise Unavailable(f"the run {run.id} is {run.state}: {run.error}; see `slipway-training logs {run.id}`")
    registered = next(step.summary for step in run.steps if step.name == "register") or {}
    return await slipway.registry.get_version(MODEL, number=int(float(str(registered["version"]))))


async def release(slipway: AsyncSlipway, static: ModelVersion, patience_s: float, progress: Progress) -> int:
    """Ask for the endpoint to follow the champion, the static version in its shadow; the champion, once it answers."""
    routes = [
        Route("main", MODEL, alias=ALIAS, weight=100),
        Route("static", MODEL, version=static.number, weight=0, shadow=True),
    ]
    endpoint = await slipway.registry.put_endpoint(ENDPOINT, routes)

    async def served() -> bool | None:
        here = next((one for one in (await slipway.inference.endpoints()).endpoints if one.name == ENDPOINT), None)
        arms = here.routes if here is not None and here.revision >= endpoint.revision else ()
        progress("; ".join(arm.reason or f"{arm.model}/{arm.desired_version} is {arm.state}" for arm in arms))
        return (len(arms) == len(routes) and all(arm.state == "ready" for arm in arms)) or None

    await until(served, "the gateway to serve the champion", patience_s)
    return endpoint.routes[0].resolved_version


async def arm(slipway: AsyncSlipway, params: Mapping[str, Any]) -> Trigger:
    """Let an incident start a retraining on what was known by then, and no other for as long as the cool-down."""
    return await slipway.training.put_trigger(
        Trigger(TRIGGER, ENDPOINT, flights_delay.name, params=params, cutoff_param="cutoff", cool_down=COOL_DOWN)
    )


def questions(version: ModelVersion, end: datetime, every: int, start: datetime = START) -> Questions:
    """Every k-th flight from ``start`` to ``end``, with what the version takes from who asks."""
    given = [one.name for one in version.signature.inputs if not one.feature]
    return Questions(flights_timed(), given, start=start, end=end, every=every)


async def replay(
    slipway: AsyncSlipway,
    publisher: Publisher,
    streams: list[Stream],
    asked: Questions,
    *,
    start: datetime,
    end: datetime,
    progress: Progress,
    said: Progress,
) -> Told:
    """Live from ``start`` to ``end``; what the loop decides is said."""
    lived = Replay(slipway, publisher, streams, asked, ENDPOINT)
    await lived.history(start, progress)
    loop = Loop(slipway, ENDPOINT, asked, said, progress)
    await lived.run(start, end, loop.decide, progress)
    return Told(lived.answers, loop.watched, asked.labelled, lived.spent_s)


async def compare(slipway: AsyncSlipway, version: int, other: int, start: datetime | None = None) -> VersionComparison:
    """Two versions on the same labelled flights."""
    return await insist(lambda: slipway.monitor.compare(ENDPOINT, MODEL, version, other, start=start))


async def require_before(slipway: AsyncSlipway, start: datetime) -> None:
    """Raise AlreadyLived when the online store was told of what came after ``start``, and would answer from it."""
    if any([mark.event_time > start async for mark in slipway.features.watermarks()]):
        raise AlreadyLived(
            "this platform has lived past the story's start, and would answer with what came later; "
            "end it with `slipway down`, or choose another folder by SLIPWAY_DATA; a Kafka, PostgreSQL and Redis that "
            "outlive the platform must be fresh ones, too"
        )


async def _ended(slipway: AsyncSlipway, run_id: str, progress: Progress) -> Run | None:
    run = await slipway.training.get_run(run_id)
    done = [step.name for step in run.steps if step.finish_time is not None]
    progress(f"{len(done)} of {len(run.steps)} steps done: {', '.join(done)}")
    return run if run.finish_time is not None else None


def _table(view: FeatureView, folder: Path) -> pd.DataFrame:
    assert view.source is not None  # noqa: S101  (asked by the caller)
    return pd.read_parquet(folder / Path(view.source.path).name)
