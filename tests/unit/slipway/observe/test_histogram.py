from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY, generate_latest

from slipway.observe.histogram import Histogram

ENDS = (0.1, 1.0, 10.0)
values = st.lists(st.sampled_from([0.0, 0.1, 0.100001, 1.0, 5.0, 10.0, 11.0, 1e9]), min_size=1, max_size=20)


@given(values | values.map(lambda few: few * 40), values)
def test_each_value_is_in_every_bucket_that_ends_at_or_above_it(many: list[float], single: list[float]) -> None:
    histogram = Histogram("waits_seconds", "Waits.", ("who",), ENDS)
    histogram.add(("a",), many)
    for value in single:
        histogram.add_one(("a",), value)
    [family] = histogram.collect()
    found = {(one.name, one.labels.get("le")): one.value for one in family.samples}
    every = many + single
    for end in ENDS:
        assert found["waits_seconds_bucket", f"{end:g}"] == sum(value <= end for value in every)
    assert found["waits_seconds_bucket", "+Inf"] == found["waits_seconds_count", None] == len(every)
    assert abs(found["waits_seconds_sum", None] - sum(every)) <= 1e-6 * sum(every)


def test_the_last_one_of_a_name_is_served() -> None:
    Histogram("visits_seconds", "Old.", ("who",), ENDS).served().add_one(("a",), 1.0)
    Histogram("visits_seconds", "New.", ("who",), ENDS).served().add_one(("b",), 1.0)
    told = generate_latest(REGISTRY).decode()
    assert 'visits_seconds_count{who="b"} 1.0' in told
    assert 'who="a"' not in told


def test_nothing_is_lost_between_threads_that_count_and_one_that_reads() -> None:
    histogram = Histogram("steps_seconds", "Steps.", ("who",), ENDS)
    series, each, done = histogram.of(("a",)), 20_000, Event()

    def count() -> None:
        for number in range(each):
            series.add_one(0.5)
            series.add((2.0, float(number)))

    def read() -> None:
        before = 0
        while not done.is_set():
            now = sum(histogram.read(who="a").counts)
            assert now >= before
            before = now

    with ThreadPoolExecutor() as threads:
        reading = threads.submit(read)
        wait([threads.submit(count) for _ in range(3)])
        done.set()
        reading.result()
    found = histogram.read(who="a")
    assert sum(found.counts) == 3 * 3 * each
    assert found.total == 3 * (each * 2.5 + sum(range(each)))
