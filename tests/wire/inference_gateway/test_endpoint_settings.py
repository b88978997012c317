"""What the registry says of an endpoint beside its arms, in the gateway: by the stream and by the last snapshot."""

from __future__ import annotations

from typing import Any

from slipway.client import Experiment, FallbackVersion, Guardrails, Route
from slipway.gen.inference import inference_pb2 as open_inference_pb2
from tests.wire.inference_gateway.test_guardrail import table, told

OPEN_INFERENCE = open_inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"]


async def test_an_endpoint_s_own_settings_hold_with_the_registry_and_without(world: Any, eventually: Any) -> None:
    sound, brittle = await table(world, world.models.looping()), await table(world, world.models.brittle())
    before = await table(world, world.models.looping())
    await world.client.registry.put_endpoint(
        "late",
        [Route("main", "t", version=sound, weight=50), Route("other", "t", version=brittle, weight=50)],
        guardrails=Guardrails(max_error_share=0.4, window_batches=5, min_batches=3),
        fallback=FallbackVersion("t", before),
        sticky_by=["flight"],
        experiment=Experiment("spring", ("main", "other")),
    )
    await world.ready("late", sound, brittle)

    async def routes(day: int) -> list[str]:
        keys = [{"flight": number, "day": day} for number in range(40)]
        answers = await world.client.inference.predict("late", [{"x": 1}] * 40, entity_keys=keys)
        return [one.route for one in answers]

    first = await routes(1)
    assert set(first) == {"main", "other"}
    assert await routes(2) == first
    await world.stop_registry()
    await world.stop_gateway()
    await world.start_gateway()
    await world.ready("late", sound, brittle)
    assert await routes(3) == first

    async def stands_by() -> bool:
        request = open_inference_pb2.ModelReadyRequest(name="late", version=str(before))
        return bool((await world.call("ModelReady", request, OPEN_INFERENCE)).ready)

    await eventually(stands_by)
    stood_in = 0
    for number in range(40):
        [answer] = await world.client.inference.predict("late", [{"x": 7}], entity_keys=[{"flight": number}])
        stood_in += answer.fallback
    [one] = await told(world, 1)
    assert (stood_in, one.route, "2 of its last 3 batches" in one.reason) == (2, "other", True)

    logged = await world.logged("late", 120)
    exposed = {(batch.route, batch.experiment) for batch in logged if not batch.fallback}
    assert exposed == {("main", "spring"), ("other", "spring")}
