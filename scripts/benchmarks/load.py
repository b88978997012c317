"""A closed loop of callers, and what they saw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np

_WARM_UP_S = 1.0


@dataclass(frozen=True)
class Measured:
    """One case: times are of single requests, in milliseconds; ``failed`` requests are in none of the figures."""

    name: str
    concurrency: int
    requests: int
    failed: int
    p50_ms: float
    p99_ms: float
    requests_per_s: float


async def measure(name: str, ask: Callable[[], Awaitable[object]], concurrency: int, seconds: float) -> Measured:
    """``concurrency`` callers, each asking again as soon as it is answered, after a warm-up."""
    await _run(ask, concurrency, _WARM_UP_S)
    took_s, failed, elapsed_s = await _run(ask, concurrency, seconds)
    return summary(name, concurrency, took_s, failed, elapsed_s)


def measure_here(name: str, run: Callable[[], object], seconds: float) -> Measured:
    """One caller in this very thread."""
    _loop(run, _WARM_UP_S)
    began = time.perf_counter()
    took_s = _loop(run, seconds)
    return summary(name, 1, took_s, 0, time.perf_counter() - began)


def summary(name: str, concurrency: int, took_s: list[float], failed: int, elapsed_s: float) -> Measured:
    """The percentiles of a case."""
    p50, p99 = np.percentile(took_s, [50, 99]) * 1000 if took_s else (float("nan"), float("nan"))
    return Measured(name, concurrency, len(took_s), failed, float(p50), float(p99), len(took_s) / elapsed_s)


async def _run(
    ask: Callable[[], Awaitable[object]], concurrency: int, seconds: float
) -> tuple[list[float], int, float]:
    took_s: list[float] = []
    failed = 0
    began = time.perf_counter()

    async def caller() -> None:
        nonlocal failed
        while (start := time.perf_counter()) < began + seconds:
            try:
                await ask()
            except Exception as error:  # whatever fails is counted, and shown once
                failed += 1
                if failed == 1:
                    print(f"a request failed: {error}")
                continue
            took_s.append(time.perf_counter() - start)

    await asyncio.gather(*(caller() for _ in range(concurrency)))
    return took_s, failed, time.perf_counter() - began


def _loop(run: Callable[[], object], seconds: float) -> list[float]:
    took_s: list[float] = []
    ends = time.perf_counter() + seconds
    while (start := time.perf_counter()) < ends:
        run()
        took_s.append(time.perf_counter() - start)
    return took_s
