"""The example's story, one step a function: each takes the platform's client and says what came of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from examples.flights.asks import Ask
from examples.flights.workflow import ALIAS, MODEL, NATIVE, flights_delay, native_scores
from slipway.client import ModelVersion, Prediction, Route, Run, Slipway
from slipway.errors import Unavailable

ENDPOINT = MODEL
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions and their answers, with the seconds that each request of one row took."""

    questions: Sequence[Ask]
    ids: Sequence[str]
    answers: Sequence[Prediction]
    single_s: Sequence[float]

    def latency_ms(self, share: float) -> float:
        """The time that this share of the one-row requests took at most."""
        ranked = sorted(self.single_s)
        return 1_000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def train(slipway: Slipway, request_id: str, progress: Progress) -> tuple[Run, ModelVersion]:
    """Run the workflow on the scheduler and find the version that it registered."""
    run = slipway.training.submit(flights_delay.name, request_id=request_id)
    for run in slipway.training.watch(run.id):  # noqa: B020  (the run as it stands now)
        done = [step.name for step in run.steps if step.finish_time is not None]
        progress(f"{len(done)} of {len(run.steps)} steps done: {', '.join(done)}")
    if run.state != "succeeded":
        raise Unavailable(f"the run {run.id} is {run.state}: {run.error}; see `slipway-training run {run.id}`")
    summary = run.steps[-1].summary or {}
    return run, slipway.registry.get_version(MODEL, number=int(str(summary["version"]).partition(".")[0]))


def release(slipway: Slipway, version: ModelVersion, patience_s: float, progress: Progress) -> None:
    """Ask for the endpoint to follow the champion, and wait until the gateway serves the version."""
    slipway.registry.put_endpoint(ENDPOINT, [Route("main", MODEL, alias=ALIAS, weight=100)])
    ends = time.monotonic() + patience_s
    while True:
        arms = [arm for one in slipway.inference.endpoints().endpoints if one.name == ENDPOINT for arm in one.routes]
        if arms and all(arm.serving_version == version.number for arm in arms):
            return
        told = "; ".join(arm.reason or f"{arm.model}/{arm.desired_version} is {arm.state}" for arm in arms)
        if time.monotonic() > ends:
            raise Unavailable(f"the gateway does not serve version {version.number}: {told or 'nothing is desired'}")
        progress(told)
        time.sleep(0.05)


def strangers(questions: Sequence[Ask], seed: int = 7) -> list[Ask]:
    """The questions with some carriers and airports that no model has met, and some planes that nobody knows."""
    draw = random.Random(seed)  # noqa: S311  (a sample, not a secret)
    changed = []
    for one in questions:
        features = dict(one.features)
        if draw.random() < 0.05:
            features["carrier"] = "ZZ"
        if draw.random() < 0.05:
            features["dest"] = "XXX"
        if draw.random() < 0.1:
            features |= {name: None for name in features if name.startswith("plane_")}
        changed.append(replace(one, features=features))
    return changed


def ask(slipway: Slipway, questions: Sequence[Ask], stem: str, batch_rows: int, progress: Progress) -> Asked:
    """Ask half of the questions one by one and the rest in batches, each under an id of its own."""
    ids = [f"{stem}-{number}" for number in range(len(questions))]
    answers: list[Prediction] = []
    seconds: list[float] = []
    half = len(questions) // 2
    at = 0
    while at < len(questions):
        size = 1 if at < half else batch_rows
        part = questions[at : at + size]
        began = time.perf_counter()
        answers += slipway.inference.predict(
            ENDPOINT,
            [one.features for one in part],
            entity_keys=[one.entity for one in part],
            prediction_ids=ids[at : at + size],
            event_times=[one.event_time for one in part],
        )
        if size == 1:
            seconds.append(time.perf_counter() - began)
        at += len(part)
        if at % 100 < size:
            progress(f"{at} of {len(questions)}")
    return Asked(questions, ids, answers, seconds)


def difference(slipway: Slipway, version: ModelVersion, asked: Asked) -> float:
    """The largest distance between the gateway's answers and LightGBM's own, on the same questions."""
    native = native_scores(
        slipway.registry.download_artifact(version.params[NATIVE]), [one.features for one in asked.questions]
    )
    served = [float(answer.value) for answer in asked.answers]
    return max(abs(one - other) for one, other in zip(served, native, strict=True))


def repeated(slipway: Slipway, asked: Asked, rows: int = 100) -> int:
    """Ask some questions again under their ids; how many got the answer that they got before."""
    again = slipway.inference.predict(
        ENDPOINT,
        [one.features for one in asked.questions[:rows]],
        entity_keys=[one.entity for one in asked.questions[:rows]],
        prediction_ids=asked.ids[:rows],
        event_times=[one.event_time for one in asked.questions[:rows]],
    )
    pairs = zip(again, asked.answers, strict=False)
    return sum(one.replayed and one.outputs == before.outputs for one, before in pairs)


def counted(slipway: Slipway, version: ModelVersion, wanted: int, patience_s: float, progress: Progress) -> int:
    """The version's predictions as the monitor counts them, once it has read as many as were asked, or gave up."""
    ends = time.monotonic() + patience_s
    while True:
        found = slipway.monitor.count(ENDPOINT)
        seen = sum(one.predictions for one in found.versions if one.version == version.number)
        if seen >= wanted or time.monotonic() > ends:
            return seen
        progress(f"{seen} of {wanted}")
        time.sleep(0.05)
