"""From a training set to a version that may take over, on a registry of the test's own."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from examples.flights import warehouse
from examples.flights import workflow as steps
from examples.flights.baseline import whole_blocks
from examples.flights.dataset import Flights, held_out, moment
from examples.flights.features import REQUEST
from examples.flights.gate import Decision
from services.registry.adapters.sql import MIGRATIONS
from services.registry.config import RegistryConfig, Rpc
from services.registry.main import compose
from slipway import lifecycle, sql
from slipway.client import DataType, RolloutState, Slipway
from slipway.errors import InvalidInput
from slipway.workflow import StepContext, run_locally, workflow

CUTOFF = "2013-02-05T00:00:00+00:00"
PARAMS = steps.Params(cutoff=CUTOFF, rounds=8, folds=2, evaluation_days=7, net=False)
ROLLING, PAPER = "carrier_delays__mean_late_1d", "plane__type"


def made(noise: float = 0.0, seed: int = 1) -> Flights:
    """Five weeks of flights whose rolling feature tells the label but for ``noise``."""
    rows = warehouse.spine(datetime(2013, 1, 1, tzinfo=UTC), datetime.fromisoformat(CUTOFF))
    rows = rows[rows["late"].notna()].sample(6_000, random_state=1).sort_values("event_time")
    draw = np.random.default_rng(seed)
    rows[ROLLING] = rows["late"] * (1 - noise) + draw.random(len(rows)) * max(noise, 0.05)
    rows.loc[rows.index[::9], ROLLING] = np.nan
    rows[PAPER] = pd.Series(draw.choice(["jet", "prop"], len(rows)), index=rows.index, dtype="string")
    return Flights(
        parquet=warehouse.parquet(rows),
        training_set="ts-1",
        digest="sha256:" + "a" * 64,
        row_count=len(rows),
        cutoff=CUTOFF,
        definitions=["flight_delay@1", "carrier_delays@1", "plane@1"],
        features={ROLLING: "carrier_delays:mean_late_1d", PAPER: "plane:type"},
        entities={"carrier_delays": ["carrier"], "plane": ["tailnum"]},
    )


@pytest.fixture
async def slipway(tmp_path: Path) -> AsyncIterator[Slipway]:
    config = RegistryConfig(rpc=Rpc(listen="127.0.0.1:0"), data=tmp_path)
    await asyncio.to_thread(sql.migrate, config.database, MIGRATIONS)
    async with compose(config) as parts, lifecycle.running(*parts):
        with Slipway(registry=f"127.0.0.1:{parts.server.port}") as client:
            yield client


def run(slipway: Slipway, flights: Flights, params: steps.Params, run_id: str) -> Decision:
    """All steps but the one that asks the feature service, through the codec."""

    @steps.step(output="flights")
    def training_set(cutoff: str, context: StepContext) -> Flights:
        return flights

    rest = [
        one for one in (getattr(steps, step.name) for step in steps.flights_delay.steps) if one.name != "training_set"
    ]
    ran = run_locally(
        workflow("flights-delay", [training_set, *rest], steps.Params), params, slipway=slipway, run_id=run_id
    )
    decided = ran.outputs["promote_if_better"]
    assert isinstance(decided, Decision)
    return decided


async def test_the_first_is_champion_a_better_one_is_rolled_out_a_worse_one_is_not(slipway: Slipway) -> None:
    first = await asyncio.to_thread(run, slipway, made(noise=0.9), PARAMS, "r1")
    assert (first.decision, first.version, first.champion, first.champion_log_loss) == ("champion", 1, 1, None)
    again = await asyncio.to_thread(run, slipway, made(noise=0.9), PARAMS, "r1")
    assert again == first  # a run that is repeated finds its own work

    worse = await asyncio.to_thread(run, slipway, made(noise=1.0), PARAMS, "r2")
    assert (worse.decision, worse.version, worse.champion) == ("kept", 2, 1)
    assert worse.log_loss >= (worse.champion_log_loss or 0)

    # What was told before is told more clearly now, and the champion sees it too.
    better = await asyncio.to_thread(run, slipway, made(noise=0.1), dataclasses.replace(PARAMS, rounds=40), "r3")
    assert (better.decision, better.version, better.champion) == ("rollout", 3, 1), better.reason
    endpoint = await asyncio.to_thread(slipway.registry.get_endpoint, "flight-delay")
    assert endpoint.rollout is not None
    assert (endpoint.rollout.state, endpoint.rollout.candidate_version) == (RolloutState.RUNNING, 3)
    assert [(one.percent, one.min_labels) for one in endpoint.rollout.plan.steps] == [(0, 300), (25, 300)]
    assert endpoint.rollout.start_event_time == datetime.fromisoformat(CUTOFF)

    other = await asyncio.to_thread(run, slipway, made(noise=0.0), dataclasses.replace(PARAMS, rounds=40), "r4")
    assert other.decision == "kept"
    assert "but" in other.reason


async def test_a_version_tells_what_it_takes_and_what_it_was_made_from(slipway: Slipway) -> None:
    flights = made()
    await asyncio.to_thread(run, slipway, flights, PARAMS, "r1")
    version = await asyncio.to_thread(lambda: slipway.registry.get_version("flight-delay", number=1))
    inputs = {one.name: one for one in version.signature.inputs}
    assert set(inputs) == {*REQUEST, ROLLING, PAPER}
    assert inputs[ROLLING].feature == "carrier_delays:mean_late_1d"
    assert (inputs["carrier"].feature, inputs["carrier"].datatype) == ("", DataType.BYTES)
    assert [one.name for one in version.signature.entities] == ["carrier", "tailnum"]
    data = version.lineage.data
    assert data is not None
    assert (data.training_set, data.digest, data.definitions) == ("ts-1", flights.digest, tuple(flights.definitions))
    assert version.lineage.run_id == "r1"
    assert version.baseline is not None
    assert version.baseline.performance is not None
    assert {one.name for one in version.baseline.features} == set(inputs)
    assert max(version.baseline.features, key=lambda one: one.importance).name == ROLLING
    assert all(one.spread is not None for one in version.baseline.features)
    native = await asyncio.to_thread(slipway.registry.download_artifact, version.params[steps.NATIVE])
    table = flights.table()[:5]
    told = steps.native_scores(native, table[list(inputs)].to_dict("records"))
    assert all(0 < one < 1 for one in told)


async def test_a_static_version_takes_the_schedule_alone_and_nothing_over(slipway: Slipway) -> None:
    decided = await asyncio.to_thread(run, slipway, made(), dataclasses.replace(PARAMS, feature_set="static"), "r1")
    assert decided.decision == "alias"
    version = await asyncio.to_thread(lambda: slipway.registry.get_version("flight-delay", alias="static"))
    assert {one.name for one in version.signature.inputs} == {*REQUEST, PAPER}
    assert [one.name for one in version.signature.entities] == ["tailnum"]
    assert not await asyncio.to_thread(lambda: list(slipway.registry.endpoints()))


def test_the_net_is_tried_beside_the_trees() -> None:
    params = dataclasses.replace(PARAMS, net=True)
    flights = made()
    net = steps.train_net(flights, params)
    assert net.trained
    assert net.metrics["auc"] > 0.6
    assert not steps.train_net(flights, PARAMS).trained


def test_the_last_days_are_held_out_and_nothing_known_later_trains() -> None:
    table = made().table()
    before, later = held_out(table, 7)
    boundary = table["event_time"].max() - pd.Timedelta(days=7)
    assert before["label_time"].max() <= boundary <= later["event_time"].min()
    with pytest.raises(InvalidInput, match="evaluation_days"):
        held_out(table, 60)


def test_only_whole_weeks_tell_how_weeks_differ() -> None:
    days = pd.date_range("2013-01-01", "2013-01-30", freq="D").to_numpy().astype("datetime64[us]")
    inside = days[whole_blocks(days)]
    assert (str(inside[0])[:10], str(inside[-1])[:10]) == ("2013-01-03", "2013-01-23")
    assert not whole_blocks(days[:1]).any()


def test_bad_params_are_named() -> None:
    with pytest.raises(InvalidInput, match="cutoff"):
        moment("cutoff", "soon")
    assert moment("cutoff", "2013-04-01") == datetime(2013, 4, 1, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="feature_set"):
        made().inputs("magic")
