from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from scripts.benchmarks import batches, cpu
from scripts.benchmarks.cases import CALLERS, FLOOR, GATEWAY, LIMIT, Case, UnknownWord, chosen
from scripts.benchmarks.measured import Measured, rows_of
from scripts.benchmarks.models import TINY
from scripts.benchmarks.report import goals
from scripts.benchmarks.sampler import Samples


def measured(rate: float) -> Measured:
    return Measured(rate, rate, 1000 / rate, 2000 / rate, 1.0, {"server": 1.0}, 0)


def case(server: str, callers: int = 64) -> Case:
    return Case(server, TINY, 1, callers)


def test_words_of_one_kind_widen_and_of_two_kinds_narrow() -> None:
    found = chosen(["bare", "gateway", "tiny", "x1", "c1", "c64"])
    assert found == [case(server, callers) for callers in (1, 64) for server in (FLOOR, GATEWAY)]


def test_the_loop_has_one_caller_and_every_server_all() -> None:
    callers = Counter((one.server, one.callers) for one in chosen(["tiny", "x1"]))
    assert callers[LIMIT, 1] == 1
    assert callers[LIMIT, 8] == 0
    assert all(callers["gateway-keys", many] == 1 for many in CALLERS)


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(UnknownWord, match=r"c7.*gateway"):
        chosen(["c7", "bare"])


def test_ratios_are_taken_within_a_run() -> None:
    # The machine is three times as fast in the second run; the gateway is half as fast as the floor in all.
    runs = [
        {case(LIMIT, 1): measured(1000 * f), case(FLOOR): measured(100 * f), case(GATEWAY): measured(50 * f)}
        for f in (1, 3, 2)
    ]
    rows = rows_of(runs)
    gateway = rows[-1]
    assert gateway["requests_per_s"] == 100
    assert gateway["to_bare"]["requests_per_s"] == pytest.approx(0.5)
    assert gateway["to_ort"]["p50_ms"] == pytest.approx(20)
    assert goals(rows)["rate_to_bare_at_64"] == {"tiny x1 c64": 0.5}


def test_a_peer_that_is_ahead_is_named() -> None:
    rows = rows_of([{case(GATEWAY): measured(50), case("kserve"): measured(60), case("mlserver"): measured(40)}])
    assert goals(rows)["peers_ahead_of_gateway"] == ["tiny x1 c64 kserve"]
    assert rows[0]["to_bare"] is None


def test_cpu_time_of_children_is_told_apart() -> None:
    waits = [sys.executable, "-c", "input()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE) as child:
        found = cpu.seconds({"here": os.getpid(), "there": child.pid})
        assert found.keys() == {"here", "here's children", "there"}
        assert found["here"] > 0
        child.communicate(b"\n")


def test_batches_are_read_from_metrics() -> None:
    text = """# TYPE slipway_batch_rows histogram
slipway_batch_rows_bucket{model="a",le="1"} 7.0
slipway_batch_rows_count{model="a"} 10.0
slipway_batch_rows_sum{model="a"} 300.0
slipway_batch_rows_count{model="b"} 10.0
slipway_batch_rows_sum{model="b"} 10.0
"""
    found = batches.parsed(text)
    assert found.rows_each_since(batches.Batches()) == 15.5
    assert found.rows_each_since(found) == 0


def test_samples_survive_a_file(tmp_path: Path) -> None:
    target = tmp_path / "samples"
    Samples(Counter({("main", "work"): 3, ("main",): 1}), 0.004).write(target)
    samples = Samples.take(target)
    assert not target.exists()
    own, whole = samples.top(requests=100, functions=1).split("with what they call")
    assert "75.0%     30.0 us  work" in own
    assert "100.0%     40.0 us  main" in whole
