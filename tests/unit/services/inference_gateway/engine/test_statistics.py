from __future__ import annotations

from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.engine.statistics import Duration, Run, Statistics
from slipway.clock import ManualClock

ONE = VersionKey("m", 1)


def test_a_merged_batch_is_one_run_of_many_requests() -> None:
    statistics = Statistics(ManualClock())
    run = Run(10, compute_input=10, compute_infer=100, compute_output=20)
    statistics.answered("late", ONE, run, requests=3, rows=8, total_ns=900, queue_ns=300)
    statistics.answered("late", ONE, run, requests=1, rows=10, total_ns=900, queue_ns=300)
    statistics.failed("late", ONE, requests=2, total_ns=50)
    tally = statistics.of("late", ONE)
    assert (tally.rows, tally.runs) == (18, 2)
    assert (tally.success, tally.fail, tally.queue) == (Duration(4, 1800), Duration(2, 50), Duration(4, 600))
    assert tally.requests.compute_infer == Duration(4, 400)
    assert list(tally.by_rows) == [10]
    assert tally.by_rows[10].compute_output == Duration(2, 40)
    assert statistics.of("late", VersionKey("m", 2)).runs == 0
    assert statistics.of("early", ONE).last is None


def test_what_was_asked_longest_ago_is_forgotten_first() -> None:
    clock = ManualClock()
    statistics = Statistics(clock)
    for number in range(4096):
        statistics.failed("late", VersionKey("m", number), requests=1, total_ns=1)
        clock.advance(1.0)
    statistics.failed("late", VersionKey("m", 0), requests=1, total_ns=1)
    clock.advance(1.0)
    statistics.failed("late", VersionKey("m", 5000), requests=1, total_ns=1)
    counts = [statistics.of("late", VersionKey("m", number)).fail.count for number in (0, 1, 2, 5000)]
    assert counts == [2, 0, 1, 1]
