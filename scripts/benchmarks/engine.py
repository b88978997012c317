"""The gateway's engine without a front: decoded requests in, logged answers out, a worker that answers at once."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from scripts.benchmarks import questions, report
from scripts.benchmarks.models import TINY
from scripts.benchmarks.sampler import Samples, sampling
from scripts.benchmarks.servers import say
from scripts.benchmarks.stand_ins import NUMBER, engine
from services.inference_gateway import codec
from services.inference_gateway.config import Observe
from services.inference_gateway.domain.batch import Batch, Protocol, all_at
from services.inference_gateway.domain.columns import Column, ValueKind
from services.inference_gateway.domain.tenants import DEFAULT
from services.inference_gateway.engine.admission import Admitted
from services.inference_gateway.engine.bundle import Outcome
from slipway import observe
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb

CALLERS = (1, 8, 32, 128)
_WARM_UP_S = 0.2
_FUNCTIONS = 40

Ask = Callable[[], Awaitable[object]]
"""One request, awaited until it is answered."""


class WrongAnswer(Exception):
    """A request got another one's answer."""


def _infer(predict: Admitted, caller: int) -> tuple[Ask, Callable[[Any], float], float]:
    """One row of vectors, as ModelInfer asks."""
    row = TINY.rows(caller + 1)[-1:]
    batch = _vectors((Column("x", ValueKind.DOUBLE, row),), 1, f"{caller:032x}")
    return lambda: predict.by_one(batch), lambda answer: float(answer.outputs["p"][0, 0]), float(row[0, 0])


def _vectors(columns: tuple[Column, ...], rows: int, trace_id: str = "") -> Batch:
    return Batch(
        endpoint=TINY.name,
        rows=rows,
        ids=(),
        event_times_us=all_at(int(time.time() * 1e6), rows),
        timed=False,
        entity_keys=(),
        features=columns,
        protocol=Protocol.OPEN_INFERENCE,
        trace_id=trace_id,
        tenant=DEFAULT,
        alike=TINY,  # as those of one form are
    )


def _columns(predict: Admitted, caller: int) -> tuple[Ask, Callable[[Any], float], float]:
    """One row of 32 columns, as Predict asks."""
    request = pb.PredictRequest.FromString(questions.predict_columns(TINY, 1).body)
    request.features[0].doubles.values[0] = caller
    return _predict(predict, request, float(caller))


def _keys(predict: Admitted, caller: int) -> tuple[Ask, Callable[[Any], float], float]:
    """One row by its key, whose 32 features are read, from what answers at once."""
    return _predict(predict, pb.PredictRequest.FromString(questions.predict_keys(TINY, 1).body), NUMBER)


def _predict(
    predict: Admitted, request: pb.PredictRequest, expected: float
) -> tuple[Ask, Callable[[Any], float], float]:
    batch = codec.decode_batch(request, datetime.now(UTC), f"{1:032x}", tenant=DEFAULT)
    return lambda: predict.predictions(batch), lambda answers: float(answers[0].outputs["p"][0]), expected


def _nothing(_: Admitted, __: int) -> tuple[Ask, Callable[[Any], float], float]:
    """A turn of the event loop: what the callers themselves cost."""
    return lambda: asyncio.sleep(0), lambda _: 0.0, 0.0


ASKED = {"infer": _infer, "predict-columns": _columns, "predict-keys": _keys, "nothing": _nothing}
TOGETHER = "infer-together"
"""As many requests as there are callers, as the native front hands over what came at once."""


def _together(predict: Admitted, callers: int) -> tuple[Ask, Callable[[Any], float], float]:
    """ModelInfer's tensors of one row, each as it came, and every request's answer; what is read is the last one's."""
    rows = TINY.rows(callers)
    tensors = [row.tobytes() for row in rows]

    async def ask() -> Sequence[Outcome]:
        told: list[Outcome] = []
        values = np.frombuffer(b"".join(tensors), np.float32).reshape(callers, -1)
        batch = _vectors((Column("x", ValueKind.DOUBLE, values),), callers)
        await predict.bundle(batch, callers, lambda _, outcomes: told.extend(outcomes), whole=True)
        return told

    return ask, lambda told: float(told[-1][0].outputs["p"][0, 0]), float(rows[-1, 0])


@dataclass(frozen=True)
class Cost:
    """Microseconds a request: of the clock, and of the process's CPU in all its threads."""

    us: float
    cpu_us: float

    def __str__(self) -> str:
        return f"{self.us:8.1f} us, CPU {self.cpu_us:8.1f} us"


async def measure(asked: str, callers: int, seconds: float, predict: Admitted, *, profile: bool = False) -> Cost:
    """So many callers, each of whom asks again as it is answered: they go on in step. Raises WrongAnswer."""
    made = [_together(predict, callers)] if asked == TOGETHER else [ASKED[asked](predict, n) for n in range(callers)]
    for (_, read, expected), answer in zip(made, await asyncio.gather(*(ask() for ask, _, _ in made)), strict=True):
        if abs(read(answer) - expected) > 1e-5:
            raise WrongAnswer(f"{asked} with {callers} callers: {read(answer)} is not {expected}")
    asks = [ask for ask, _, _ in made]
    await _loop(asks, _WARM_UP_S)
    with sampling() if profile else nullcontext(Samples()) as samples:
        began, cpu_began = time.perf_counter(), time.process_time()
        count = callers // len(asks) * await _loop(asks, seconds)
        took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    if profile:
        say(f"{asked} c{callers}: {samples.top(count, _FUNCTIONS)}")
    return Cost(took_s / count * 1e6, cpu_s / count * 1e6)


async def _loop(asks: list[Ask], seconds: float) -> int:
    ends = time.perf_counter() + seconds
    counts = [0] * len(asks)

    async def caller(number: int, ask: Ask) -> None:
        while time.perf_counter() < ends:
            await ask()
            counts[number] += 1

    async with asyncio.TaskGroup() as group:
        for number, ask in enumerate(asks):
            group.create_task(caller(number, ask))
    return sum(counts)


async def measure_all(given: argparse.Namespace) -> dict[str, Any]:
    """Every case, so many times, each time on a fresh spool."""
    hardware = report.hardware()
    runs: dict[tuple[str, int], list[Cost]] = {}
    with observe.start(Observe(metrics_listen="127.0.0.1:0"), "inference_gateway"):
        for number in range(1, given.runs + 1):
            with tempfile.TemporaryDirectory() as place:
                async with engine(Path(place)) as predict:
                    for asked, callers in _cases(given.only):
                        cost = await measure(asked, callers, given.seconds, predict, profile=given.profile)
                        say(f"{number}/{given.runs}  {asked:<16} c{callers:<4} {cost}")
                        runs.setdefault((asked, callers), []).append(cost)
    cases = [
        {
            "asked": asked,
            "callers": callers,
            "us_per_request": median(one.us for one in costs),
            "cpu_us_per_request": median(one.cpu_us for one in costs),
            "runs_us": [one.us for one in costs],
        }
        for (asked, callers), costs in runs.items()
    ]
    return {"hardware": hardware, "runs": given.runs, "seconds": given.seconds, "cases": cases}


def _cases(only: set[str]) -> Iterator[tuple[str, int]]:
    callers = [one for one in CALLERS if f"c{one}" in only] or CALLERS
    for asked in [one for one in (*ASKED, TOGETHER) if one in only] or (*ASKED, TOGETHER):
        for many in callers:
            yield asked, many


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="scripts/bench engine", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=5, help="times that every case is measured (default 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="seconds a case and run (default 1)")
    parser.add_argument(
        "--only", default="", help=f"{', '.join(ASKED)}, {TOGETHER}, c1 c8 c32 c128, with commas between them"
    )
    parser.add_argument("--profile", action="store_true", help="sample the process, print its functions")
    given = parser.parse_args()
    given.only = {word for word in given.only.split(",") if word}
    if unknown := given.only - {*ASKED, TOGETHER} - {f"c{one}" for one in CALLERS}:
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}")
    found = asyncio.run(measure_all(given))
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(report.line(found["hardware"]), "", "| asked | callers | us a request | CPU us a request |", sep="\n")
    print("|---|---:|---:|---:|")
    for case in found["cases"]:
        print("| {asked} | {callers} | {us_per_request:.1f} | {cpu_us_per_request:.1f} |".format(**case))


if __name__ == "__main__":
    main()
