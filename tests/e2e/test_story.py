"""Two weeks of real flights, every service killed meanwhile: the loop closes once, nothing is lost or told twice."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from examples.flights import story
from examples.flights.warehouse import parquet, spine
from tests.e2e import slice as two_weeks
from tests.e2e.slice import Lived, Platform

pytestmark = pytest.mark.timeout(600)
SERVICES = ("feature_serving", "inference_gateway", "monitor", "registry", "training_scheduler")
FINAL = {"succeeded", "rolled_back", "inconclusive"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    one = Platform(tmp_path_factory.mktemp("slipway"))
    try:
        one.up()
        yield one
    finally:
        one.down()


class Killer(threading.Thread):
    """Kills one service after another, each when the one before serves again, until it is told to stop."""

    def __init__(self, platform: Platform, wait: Callable[..., Any]) -> None:
        super().__init__(daemon=True)
        self._platform = platform
        self._wait = wait
        self._stopped = threading.Event()
        self.killed: list[str] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            for name in itertools.islice(itertools.cycle(SERVICES), 2 * len(SERVICES)):
                if self._stopped.is_set():
                    return
                self._kill(name)
        except BaseException as failure:
            self.failure = failure

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _kill(self, name: str) -> None:
        pid = self._platform.service(name)["pid"]
        os.kill(pid, signal.SIGKILL)
        self.killed.append(name)
        self._wait(lambda: (now := self._platform.service(name))["state"] == "serving" and now["pid"] != pid)


@pytest.fixture(scope="module")
def lived(platform: Platform) -> Lived:
    from tests.e2e.conftest import until  # noqa: PLC0415

    static, champion = two_weeks.prepare(platform)
    killer = Killer(platform, until)
    killer.start()
    try:
        return two_weeks.live(platform, static, champion)
    finally:
        killer.stop()
        assert killer.failure is None
        assert set(killer.killed) == set(SERVICES)


def test_every_prediction_is_answered_logged_and_counted_once(platform: Platform, lived: Lived, wait: Any) -> None:
    assert lived.told.answers.predictions == lived.asked > 1_000
    with platform.client() as slipway:
        wait(lambda: slipway.inference.prediction_log().pending_batches == 0)
        on_log = two_weeks.logged(platform.data)
        assert set(on_log.values()) == {1}
        assert len(on_log) == lived.asked
        wait(lambda: slipway.monitor.count(story.ENDPOINT).predictions >= lived.asked)
        assert slipway.monitor.count(story.ENDPOINT).predictions == lived.asked


def test_every_label_is_joined_once(platform: Platform, lived: Lived) -> None:
    with platform.client() as slipway:
        [coverage] = slipway.monitor.coverage(story.ENDPOINT)
    assert coverage.labels_joined == lived.told.labelled
    assert coverage.labels_waiting == coverage.labels_expired == coverage.labels_ignored == 0


def test_the_incident_starts_one_retraining_and_its_rollout_ends_once(platform: Platform, lived: Lived) -> None:
    with platform.client() as slipway:
        [incident, *_] = sorted(slipway.monitor.incidents(story.ENDPOINT), key=lambda one: one.trigger_time)
        retrained = [run for run in slipway.training.runs() if run.incident_id]
        rollouts = list(slipway.registry.rollouts(story.ENDPOINT))
        endpoint = slipway.registry.get_endpoint(story.ENDPOINT)
        verdicts = list(slipway.monitor.verdicts(story.ENDPOINT))
        versions = list(slipway.registry.versions(story.ENDPOINT))
    [run] = retrained
    assert (run.incident_id, run.state) == (incident.id, "succeeded")
    assert len(versions) == 3
    assert len(rollouts) <= 1
    for rollout in rollouts:
        assert rollout.state in FINAL
        steps = [one.step for one in verdicts if one.rollout_id == rollout.id]
        assert sorted(steps) == list(range(len(steps)))
        promoted = rollout.state == "succeeded"
        serves = endpoint.routes[0].resolved_version
        assert serves == (rollout.candidate_version if promoted else rollout.baseline_version)


def test_the_new_version_was_made_from_nothing_newer_than_the_incident(platform: Platform, lived: Lived) -> None:
    with platform.client() as slipway:
        [incident, *_] = sorted(slipway.monitor.incidents(story.ENDPOINT), key=lambda one: one.trigger_time)
        newest = max(slipway.registry.versions(story.ENDPOINT), key=lambda one: one.number)
        assert newest.lineage.data is not None
        made = slipway.features.get_training_set(newest.lineage.data.training_set)
    assert made.cutoff == incident.trigger_time
    assert made.digest == newest.lineage.data.digest


def test_values_online_were_those_of_a_training_set_of_the_same_flights(platform: Platform, lived: Lived) -> None:
    seen = _seen(platform)
    assert len(seen) > 0.8 * lived.asked
    flights = spine(two_weeks.START, two_weeks.END)
    flights = flights[flights["flight"].isin(seen.index)].drop(columns=["late", "label_time"])
    with platform.client() as slipway:
        asked = slipway.features.create_training_set(parquet(flights), story.FEATURE_SERVICE, request_id="parity")
        made = slipway.features.wait_training_set(asked.id)
        path = platform.data / "parity.parquet"
        path.write_bytes(slipway.features.download_training_set(made.id))
    offline = pd.read_parquet(path).set_index("flight").loc[seen.index]
    compared = [name for name in seen.columns if "__" in name]
    assert len(compared) > 30
    for name in compared:
        ours, theirs = seen[name], offline[name]
        if pd.api.types.is_numeric_dtype(theirs):
            np.testing.assert_array_equal(
                ours.to_numpy(dtype=np.float32), theirs.to_numpy(dtype=np.float32, na_value=np.nan), err_msg=name
            )
        else:
            assert ours.fillna("").tolist() == theirs.fillna("").tolist(), name


def test_one_command_rolls_back(platform: Platform, lived: Lived) -> None:
    with platform.client() as slipway:
        before = slipway.registry.get_endpoint(story.ENDPOINT).routes[0].resolved_version
        if before == lived.champion.number:
            slipway.registry.set_alias(story.ENDPOINT, "champion", lived.static.number)
            before = lived.static.number
        platform.run("slipway-registry", "rollback", story.ENDPOINT, "--reason", "a test")
        after = slipway.registry.get_endpoint(story.ENDPOINT).routes[0].resolved_version
    assert after == lived.champion.number != before


def _seen(platform: Platform) -> pd.DataFrame:
    """The features as the model saw them, by flight; only of flights whose features could be read: weather tells."""
    parts = []
    for batch in two_weeks.batches(platform.data):
        [read] = [one.event_times_us for one in batch.view_times if one.view == "origin_weather"] or [()]
        if batch.shadow or not any(read):
            continue
        columns = {one.name: _values(one, len(batch.prediction_ids)) for one in batch.features}
        parts.append(pd.DataFrame(columns, index=list(batch.prediction_ids))[np.array(read) > 0])
    return pd.concat(parts)


def _values(column: Any, rows: int) -> list[Any]:
    values = list(getattr(column, column.WhichOneof("values")).values)
    for row in column.absent_rows:
        values[row] = None if column.WhichOneof("values") == "strings" else float("nan")
    assert len(values) == rows
    return values
