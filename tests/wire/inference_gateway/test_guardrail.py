"""Arms that a gateway takes to zero by itself."""

from __future__ import annotations

import asyncio
import itertools
import math
from contextlib import suppress
from typing import Any

from slipway.client import ColumnSpec, DataType, Guardrails, Route, Signature, TensorSpec, VersionState
from slipway.errors import SlipwayError
from slipway.gen.slipway.inference.v1 import events_pb2

TOPIC = "inference.arm.v1"
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for
QUICK = {"batches": 4, "error_share": 0.5, "load_attempts": 2}
TABLE = Signature((ColumnSpec("x", DataType.INT64),), (TensorSpec("y", DataType.FP32),))


async def told(world: Any, count: int) -> list[Any]:
    """What was told of arms, as soon as it is so much."""
    async with asyncio.timeout(30):
        while len(records := await world.records(TOPIC)) < count:
            await asyncio.sleep(PAUSE_S)
    return [events_pb2.ArmDisabled.FromString(one.event.value) for one in records]


async def table(world: Any, artifact: bytes) -> int:
    """A version of ``t`` that takes whole numbers."""
    number: int = await world.register(model="t", artifact=artifact, takes=TABLE)
    return number


async def test_an_arm_that_fails_is_taken_to_zero_told_once_and_stays_so(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(guardrail=QUICK)
    sound, brittle = await table(world, world.models.looping()), await table(world, world.models.brittle())
    await world.route("late", ("main", sound, 50), ("candidate", brittle, 50), model="t")
    await world.ready("late", sound, brittle)
    reasons = []
    for number in range(60):
        try:
            await world.client.inference.predict("late", [{"x": 7}], entity_keys=[{"flight": number}])
        except SlipwayError as error:
            reasons.append(error.reason)
    assert reasons == ["MODEL_FAILED"] * 4
    main, candidate = (await world.status("late")).routes
    assert (main.weight, main.disabled_reason) == (50, "")
    assert (candidate.weight, candidate.state) == (0, VersionState.READY)
    assert "4 of its last 4 batches failed: t/2 failed on this batch" in candidate.disabled_reason
    [one] = await told(world, 1)
    revision = (await world.status("late")).revision
    assert (one.endpoint, one.route, one.model, one.version) == ("late", "candidate", "t", brittle)
    assert (one.revision, one.reason) == (revision, candidate.disabled_reason)
    assert one.gateway_id
    assert one.time.seconds

    await world.stop_gateway()
    await world.start_gateway(guardrail=QUICK)
    await world.until("late", lambda arms: len(arms) == 2 and bool(arms[1].disabled_reason))
    rows = [{"x": 7}] * 40
    answers = await world.client.inference.predict("late", rows, entity_keys=[{"flight": n} for n in range(40)])
    assert {one.route for one in answers} == {"main"}

    await world.route("late", ("main", sound, 50), ("candidate", brittle, 49), model="t")
    await world.until("late", lambda arms: arms[1].weight == 49 and not arms[1].disabled_reason)
    assert len(await told(world, 1)) == 1


async def test_an_arm_that_is_slow_is_taken_to_zero_by_the_endpoint_s_own_limit(world: Any) -> None:
    quick, slow = await table(world, world.models.brittle()), await table(world, world.models.looping(50_000))
    await world.client.registry.put_endpoint(
        "late",
        [Route("main", "t", version=quick, weight=50), Route("candidate", "t", version=slow, weight=50)],
        guardrails=Guardrails(max_p99_latency_ms=20.0, window_batches=100, min_batches=100),
    )
    await world.ready("late", quick, slow)
    asked = itertools.count()
    async with asyncio.timeout(120):
        while (arms := (await world.status("late")).routes)[1].weight:
            await world.client.inference.predict("late", [{"x": 1}], entity_keys=[{"flight": next(asked)}])
    assert next(asked) >= 200  # less than 100 batches of each tell nothing
    main, candidate = arms
    assert (main.weight, main.disabled_reason, candidate.state) == (50, "", VersionState.READY)
    assert "the 99th percentile of its last" in candidate.disabled_reason
    assert "and 20 are borne" in candidate.disabled_reason
    [one] = await told(world, 1)
    assert (one.route, one.version, one.reason) == ("candidate", slow, candidate.disabled_reason)
    rows = [{"x": 1}] * 40
    answers = await world.client.inference.predict("late", rows, entity_keys=[{"flight": n} for n in range(40)])
    assert {one.route for one in answers} == {"main"}


async def test_the_last_arm_stays_whatever_it_does(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(guardrail=QUICK)
    brittle = await table(world, world.models.brittle())
    await world.route("late", ("main", brittle, 1), model="t")
    await world.ready("late", brittle)
    for _ in range(10):
        with suppress(SlipwayError):
            await world.client.inference.predict("late", [{"x": 7}])
    [main] = (await world.status("late")).routes
    assert (main.weight, main.disabled_reason) == (1, "")
    assert (await world.client.inference.predict("late", [{"x": 1}]))[0].value == 20.0


async def test_what_fails_everywhere_is_no_arm_s_fault(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(guardrail=QUICK)
    first, second = await table(world, world.models.brittle()), await table(world, world.models.brittle())
    await world.route("late", ("main", first, 50), ("candidate", second, 50), model="t")
    await world.ready("late", first, second)
    for number in range(30):
        with suppress(SlipwayError):
            await world.client.inference.predict("late", [{"x": 7}], entity_keys=[{"flight": number}])
    assert {one.weight for one in (await world.status("late")).routes} == {50}


async def test_a_shadow_that_fails_is_stopped_and_told_and_no_caller_notices(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(guardrail=QUICK)
    sound, brittle = await table(world, world.models.looping()), await table(world, world.models.brittle())
    await world.client.registry.put_endpoint(
        "late",
        [Route("main", "t", version=sound, weight=1), Route("candidate", "t", version=brittle, weight=0, shadow=True)],
    )
    await world.ready("late", sound, brittle)
    for _ in range(8):
        await world.client.inference.predict("late", [{"x": 7}])
    [one] = await told(world, 1)
    assert (one.route, one.version) == ("candidate", brittle)
    _, candidate = (await world.status("late")).routes
    assert not candidate.shadow
    assert candidate.disabled_reason


async def test_a_candidate_that_can_not_be_loaded_is_failed_and_told(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(guardrail=QUICK)
    good, broken = await world.standing("late", 100.0), await world.register(artifact=world.models.zipmap())
    await world.route("late", ("main", good, 90), ("candidate", broken, 10))
    [one] = await told(world, 1)
    assert (one.route, one.version) == ("candidate", broken)
    assert "can't be served" in one.reason
    main, candidate = await world.until("late", lambda arms: len(arms) == 2 and bool(arms[1].disabled_reason))
    assert (main.weight, main.state) == (90, VersionState.READY)
    assert (candidate.state, candidate.weight) == (VersionState.FAILED, 0)
    await world.client.inference.predict("late", [world.row])


async def test_answers_that_are_no_numbers_count_as_failures(world: Any) -> None:
    await world.stop_gateway()
    await world.start_gateway(guardrail=QUICK)
    sound, endless = await world.register(100.0), await world.register(math.inf)
    await world.route("late", ("main", sound, 1), ("candidate", endless, 0), shadow="candidate")
    await world.ready("late", sound, endless)
    for _ in range(4):
        await world.client.inference.predict("late", [world.row])
    [one] = await told(world, 1)
    assert one.route == "candidate"
    assert "output 'p' holds no finite number" in one.reason


async def test_the_bus_hears_of_it_when_it_is_back(world: Any) -> None:
    await world.stop_gateway()
    bus = world.folder / "bus"
    bus.mkdir(exist_ok=True)
    aside = bus.rename(world.folder / "aside")
    bus.write_text("no folder")
    await world.start_gateway(guardrail=QUICK)
    good, broken = await world.standing("late", 100.0), await world.register(artifact=world.models.zipmap())
    await world.route("late", ("main", good, 90), ("candidate", broken, 10))
    await world.until("late", lambda arms: len(arms) == 2 and bool(arms[1].disabled_reason))
    await world.stop_gateway()
    bus.unlink()
    aside.rename(bus)
    await world.start_gateway(guardrail=QUICK)
    [one] = await told(world, 1)
    assert (one.route, one.version) == ("candidate", broken)
