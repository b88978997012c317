"""What a case gave in one run, and the medians over the runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from scripts.benchmarks.cases import FLOOR, LIMIT, Case
from scripts.benchmarks.generator import Load

_WARM_UP_S = 0.2


@dataclass(frozen=True)
class Measured:
    """One case in one run; times are of single requests. CPU is the server's alone, all its processes.

    A gateway's workers were given ``rows_a_batch``; ``unshipped`` batches of its log were not on the event bus at the
    end: their cost is in no figure.
    """

    requests_per_s: float
    rows_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_s_per_1000: float
    cpu_s_per_1000_by: dict[str, float]
    failed: int
    unshipped: int = 0
    rows_a_batch: float = 0.0


_RATIOS = ("requests_per_s", "p50_ms", "p99_ms", "cpu_s_per_1000")


def of_load(
    load: Load,
    rows: int,
    cpu_before: Mapping[str, float],
    cpu_after: Mapping[str, float],
    *,
    unshipped: int = 0,
    rows_a_batch: float = 0.0,
) -> Measured:
    """A server's case, from what its callers saw and what its processes used meanwhile."""
    rate, thousands = load.requests / load.elapsed_s, max(load.requests, 1) / 1000
    used = {role: (after - cpu_before.get(role, 0.0)) / thousands for role, after in cpu_after.items()}
    told = {role: round(seconds, 4) for role, seconds in used.items() if seconds > 0}
    return Measured(
        rate, rate * rows, load.p50_ms, load.p99_ms, sum(used.values()), told, load.failed, unshipped, rows_a_batch
    )


def of_loop(run: Callable[[], object], rows: int, seconds: float) -> Measured:
    """One caller in this very thread."""
    _loop(run, _WARM_UP_S)
    cpu_before, began = time.process_time(), time.perf_counter()
    took_s = _loop(run, seconds)
    elapsed_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_before
    p50, p99 = (float(one) * 1000 for one in np.percentile(took_s, [50, 99]))
    rate, cost = len(took_s) / elapsed_s, cpu_s / len(took_s) * 1000
    return Measured(rate, rate * rows, p50, p99, cost, {"loop": round(cost, 4)}, 0)


def _loop(run: Callable[[], object], seconds: float) -> list[float]:
    took_s = []
    ends = time.perf_counter() + seconds
    while (start := time.perf_counter()) < ends:
        run()
        took_s.append(time.perf_counter() - start)
    return took_s


Run = Mapping[Case, Measured]


def rows_of(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Each case with its medians, its ratios to the floor and to the limit, and every run's figures.

    A ratio is made within each run, of figures that were taken one after the other, and then the median is taken:
    machines drift over minutes.
    """
    return [_row(case, [run for run in runs if case in run]) for case in runs[0]]


def _row(case: Case, runs: Sequence[Run]) -> dict[str, Any]:
    found = [run[case] for run in runs]
    floor = Case(FLOOR, case.model, case.rows, case.callers)
    limit = Case(LIMIT, case.model, case.rows, 1)
    return {
        "server": case.server,
        "model": case.model.name,
        "rows": case.rows,
        "callers": case.callers,
        **_medians(found),
        "to_bare": _ratios(case, floor, runs),
        "to_ort": _ratios(case, limit, runs),
        "runs": [asdict(one) for one in found],
    }


def _medians(found: Sequence[Measured]) -> dict[str, Any]:
    names = ("requests_per_s", "rows_per_s", "p50_ms", "p99_ms", "cpu_s_per_1000")
    roles = sorted({role for one in found for role in one.cpu_s_per_1000_by})
    return {
        **{name: median(getattr(one, name) for one in found) for name in names},
        "cpu_s_per_1000_by": {role: median(one.cpu_s_per_1000_by.get(role, 0.0) for one in found) for role in roles},
        "failed": sum(one.failed for one in found),
        "unshipped": median(one.unshipped for one in found),
        "rows_a_batch": median(one.rows_a_batch for one in found),
    }


def _ratios(case: Case, to: Case, runs: Sequence[Run]) -> dict[str, float] | None:
    both = [(run[case], run[to]) for run in runs if to in run]
    if not both:
        return None
    return {name: median(_ratio(getattr(a, name), getattr(b, name)) for a, b in both) for name in _RATIOS}


def _ratio(a: float, b: float) -> float:
    return a / b if b else math.nan
