"""kill -9 of a registry while verdicts come: each step of a rollout once, one terminal state, each event once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from slipway.client import AsyncSlipway, RolloutPlan, RolloutState, RolloutStep, Route
from slipway.errors import SlipwayError
from slipway.events import Event
from slipway.events.connect import open_log
from slipway.gen.slipway.inference.v1 import events_pb2 as inference_events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as monitor_events_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2 as monitor_pb2
from slipway.gen.slipway.registry.v1 import events_pb2
from tests.faults.test_registry_kill import PATIENCE_S, SIGNATURE, Registry, events_of

STEPS = 4
NOW = datetime(2013, 5, 1, tzinfo=UTC)
PLAN = RolloutPlan(tuple(RolloutStep(10 * step, 10) for step in range(STEPS)))


def verdict(rollout: str, step: int, event_id: str, decision: int = monitor_pb2.DECISION_PROMOTE) -> Event:
    told = monitor_pb2.Verdict(
        endpoint="late", rollout_id=rollout, step=step, decision=decision, labels=10, reason=f"step {step}"
    )
    value = monitor_events_pb2.VerdictReached(verdict=told).SerializeToString()
    return Event(event_id, "monitor.verdict.v1", "late", "slipway.monitor.verdict.reached", "test", NOW, value)


def disabled(revision: int, event_id: str) -> Event:
    value = inference_events_pb2.ArmDisabled(
        endpoint="late", route="candidate", model="m", version=2, revision=revision, reason="it fails"
    ).SerializeToString()
    return Event(event_id, "inference.arm.v1", "late", "slipway.inference.arm.disabled", "test", NOW, value)


async def publish(registry: Registry, events: Sequence[Event]) -> None:
    async with open_log(registry.events) as log:
        await log.publisher().publish(events)


async def started(registry: Registry) -> str:
    """The id of a rollout from version 1 to 2 of an endpoint that follows `champion`."""
    async with AsyncSlipway(registry=registry.address) as slipway:
        await slipway.registry.create_model("m", owner="dock")
        artifact = await slipway.registry.upload_artifact(b"network")
        for request in ("one", "two"):
            await slipway.registry.register_version("m", artifact, SIGNATURE, request_id=request)
        await slipway.registry.set_alias("m", "champion", 1)
        await slipway.registry.put_endpoint("late", [Route("main", "m", alias="champion")])
        endpoint = await slipway.registry.start_rollout("late", 2, PLAN, request_id="roll")
    assert endpoint.rollout
    return endpoint.rollout.id


async def reached(registry: Registry, step: int) -> None:
    """Wait until the rollout has come to ``step``, or the registry is gone."""
    try:
        async with AsyncSlipway(registry=registry.address) as slipway, slipway.registry.watch_endpoints() as changes:
            async for change in changes:
                if any(one.rollout and one.rollout.step >= step for one in change.endpoints):
                    return
    except SlipwayError:
        return


@pytest.fixture
async def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path)
    await registry.migrate()
    return registry


async def test_verdicts_that_come_while_it_is_killed_take_each_step_once(registry: Registry) -> None:
    async with registry.serving() as process:
        rollout = await started(registry)
        process.kill()
        assert await process.wait() == -signal.SIGKILL
    for step in range(0, STEPS, 2):
        # Two while it is away, each said twice, the second again under its own id: the log's and the monitor's repeats.
        said = [verdict(rollout, n, f"{n}-{turn}") for n in (step, step + 1) for turn in range(2)]
        await publish(registry, [*said, *said[2:]])
        async with registry.serving() as process:
            # Killed as soon as the first of them shows: before, in, or after the second's commit.
            await asyncio.wait_for(reached(registry, step + 1), PATIENCE_S)
            process.kill()
            assert await process.wait() == -signal.SIGKILL
    await publish(registry, [verdict(rollout, STEPS - 1, "late", monitor_pb2.DECISION_ROLL_BACK), disabled(99, "arm")])
    async with registry.serving(), AsyncSlipway(registry=registry.address) as slipway:
        await asyncio.wait_for(reached(registry, STEPS), PATIENCE_S)
        cancelled = await slipway.registry.cancel_rollout("late", rollout)
        assert cancelled.rollout
        assert (cancelled.rollout.state, cancelled.rollout.step) == (RolloutState.SUCCEEDED, STEPS)
        assert [(route.name, route.resolved_version) for route in cancelled.routes] == [("main", 2), ("previous", 1)]
        assert await check_events(registry, cancelled.revision) == [
            *((RolloutState.RUNNING, step) for step in range(STEPS)),
            (RolloutState.SUCCEEDED, STEPS),
        ]
        moves = await events_of(registry, "registry.model-version.v1", lambda _: True, 4)
        changes = [events_pb2.ModelVersionChanged.FromString(record.event.value) for record in moves]
        assert [change.alias_moved.to_version for change in changes if change.HasField("alias_moved")] == [1, 2]


async def check_events(registry: Registry, revisions: int) -> list[tuple[RolloutState, int]]:
    """Where each event of the endpoint says that the rollout stands; every revision has one, in order."""
    records = await events_of(registry, "registry.endpoint.v1", lambda _: True, revisions)
    put = [events_pb2.EndpointChanged.FromString(record.event.value).put for record in records]
    assert [one.revision for one in put] == list(range(1, revisions + 1))
    names = states_by_number()
    return [(names[one.rollout.state], one.rollout.step) for one in put if one.HasField("rollout")]


def states_by_number() -> dict[int, RolloutState]:
    return dict(enumerate(RolloutState))


@pytest.mark.parametrize("first", ["verdict", "arm"])
async def test_an_end_that_it_was_killed_at_is_the_only_one(registry: Registry, first: str) -> None:
    async with registry.serving() as process:
        rollout = await started(registry)
        ends = {
            "verdict": verdict(rollout, 0, "v", monitor_pb2.DECISION_INCONCLUSIVE),
            "arm": disabled(99, "a"),
        }
        await publish(registry, [ends[first]])
        process.kill()
        assert await process.wait() == -signal.SIGKILL
    await publish(registry, [ends[other] for other in ends if other != first])
    async with registry.serving(), AsyncSlipway(registry=registry.address) as slipway:
        async with slipway.registry.watch_endpoints() as changes:
            async for change in changes:
                (endpoint,) = change.endpoints
                if endpoint.rollout and endpoint.rollout.state is not RolloutState.RUNNING:
                    break
        states = await check_events(registry, endpoint.revision)
        assert [state for state, _ in states][:1] == [RolloutState.RUNNING]
        assert len(states) == 2
        assert [route.name for route in endpoint.routes] == ["main"]
