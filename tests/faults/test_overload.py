"""Ten times what fits, from one tenant: it is refused, the others are not, and a stop finishes what was begun."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import grpc.aio
import pytest

from slipway.client import AsyncSlipway, ColumnSpec, DataType, Route, Signature, TensorSpec, VersionState
from slipway.errors import Kind, SlipwayError
from slipway.events.connect import open_log
from tests.faults.scene import PATIENCE_S, Service
from tests.prediction_log import batches

QUEUE = 16
CALLERS = 80  # ten times the half of the queue that a tenant gets
ROUNDS = 4_000  # of the model's loop: some milliseconds
CALM = 12
PAUSE_S = 0.01  # between looks, which would keep a core from those that are waited for


def _token(name: str) -> str:
    return f"{name}-0123456789abcdef"


def _config(folder: Path) -> Path:
    file = folder / "gateway.toml"
    lines = [f"batch = {{ max_rows = 1, queue_requests = {QUEUE} }}"]
    for name in ("flood", "calm", "ops"):
        digest = hashlib.sha256(_token(name).encode()).hexdigest()
        lines += [f"[tenants.{name}]", f"token_sha256 = ['{digest}']", f"operator = {str(name == 'ops').lower()}"]
    file.write_text("\n".join(lines))
    return file


@pytest.fixture
async def gateway(tmp_path: Path, onnx_models: ModuleType) -> AsyncIterator[Service]:
    """A gateway of its own process, whose endpoint ``slow`` takes as long as a row says, one row at a time."""
    registry = Service(tmp_path, "slipway-registry", "REGISTRY", arguments=("--migrate",))
    await registry.start()
    gateway = Service(
        tmp_path,
        "slipway-gateway",
        "INFERENCE_GATEWAY",
        {"SLIPWAY_REGISTRY_ADDRESS": registry.address},
        ("--config", str(_config(tmp_path))),
    )
    try:
        await gateway.start()
        async with AsyncSlipway(registry=registry.address, gateway=gateway.address, token=_token("ops")) as slipway:
            await slipway.registry.create_model("loop", owner="dock")
            takes = Signature((ColumnSpec("x", DataType.INT64),), (TensorSpec("y", DataType.FP32, (-1,)),))
            model = await slipway.registry.upload_artifact(onnx_models.looping())
            await slipway.registry.register_version("loop", model, takes)
            await slipway.registry.put_endpoint("slow", [Route("main", "loop", version=1)])
            async with asyncio.timeout(PATIENCE_S):
                while not await _ready(slipway):
                    await asyncio.sleep(PAUSE_S)
        yield gateway
    finally:
        await gateway.close()
        await registry.close()


async def _ready(slipway: AsyncSlipway) -> bool:
    found = list(await slipway.inference.endpoints())
    return bool(found) and found[0].routes[0].state is VersionState.READY


class Flood:
    """Callers of one tenant that ask again at once, whatever they hear."""

    def __init__(self, slipway: AsyncSlipway) -> None:
        self.answered = 0
        self.refused: Counter[str] = Counter()
        self._slipway = slipway
        self._going = True
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Flood:
        self._tasks = [asyncio.create_task(self._call()) for _ in range(CALLERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._going = False
        await asyncio.gather(*self._tasks)

    async def _call(self) -> None:
        while self._going:
            try:
                await self._slipway.inference.predict("slow", [{"x": ROUNDS}])
                self.answered += 1
            except SlipwayError as error:
                if error.kind is not Kind.RESOURCE_EXHAUSTED or not error.retry_after_s:
                    raise
                self.refused[error.reason] += 1


async def _healthy(channel: grpc.aio.Channel) -> bool:
    check = channel.unary_unary("/grpc.health.v1.Health/Check", lambda data: data, lambda data: data)
    # Serving is field 1, value 1.
    return await check(b"", timeout=PATIENCE_S) == b"\x08\x01"


async def test_a_flood_is_refused_the_others_are_served_and_a_stop_finishes_what_was_accepted(gateway: Service) -> None:
    await _flooded(gateway)
    await _urgent(gateway)
    await _stopped(gateway)


async def _flooded(gateway: Service) -> None:
    async with (
        AsyncSlipway(gateway=gateway.address, token=_token("flood")) as many,
        AsyncSlipway(gateway=gateway.address, token=_token("calm")) as one,
        AsyncSlipway(gateway=gateway.address, token=_token("ops")) as ops,
        grpc.aio.insecure_channel(gateway.address) as probe,
    ):
        async with Flood(many) as flood:
            while not flood.refused:
                await asyncio.sleep(PAUSE_S)
            before = flood.answered
            for _ in range(CALM):
                [answer] = await one.inference.predict("slow", [{"x": ROUNDS}])
                assert answer.model == "loop"
                assert await _healthy(probe)
            # By turns: the flood had as much as the other, about, and the worker never idled for either.
            assert flood.answered - before >= CALM // 2
        found = {tenant.name: tenant for tenant in await ops.inference.tenants()}
    assert set(flood.refused) == {"QUEUE_FULL"}
    assert (found["calm"].refused_requests, found["calm"].admitted_requests) == (0, CALM)
    assert found["flood"].refused_requests == flood.refused.total() > flood.answered
    assert found["flood"].in_flight == 0


async def _urgent(gateway: Service) -> None:
    """What is urgent overtakes what waits, but not what runs."""
    ended: list[int] = []
    async with AsyncSlipway(gateway=gateway.address, token=_token("calm")) as slipway:

        async def ask(rounds: int, priority: int) -> None:
            await slipway.inference.predict("slow", [{"x": rounds}], priority=priority)
            ended.append(priority)

        await asyncio.gather(ask(200_000, 9), *(ask(100_000, 0) for _ in range(4)), ask(1, 8))
    assert ended.index(8) < 4, ended


async def _stopped(gateway: Service) -> None:
    async with (
        AsyncSlipway(gateway=gateway.address, token=_token("calm")) as slipway,
        AsyncSlipway(gateway=gateway.address, token=_token("ops")) as ops,
    ):
        asked = [asyncio.create_task(slipway.inference.predict("slow", [{"x": 50_000}])) for _ in range(4)]
        async with asyncio.timeout(PATIENCE_S):
            while {one.name: one.in_flight for one in await ops.inference.tenants()}["calm"] < len(asked):
                await asyncio.sleep(PAUSE_S)
        assert await gateway.stop() == 0
        answers = [row.prediction_id for rows in await asyncio.gather(*asked) for row in rows]
    async with open_log(f"sqlite:///{gateway.folder / 'log.db'}") as log:
        records = await log.read("inference.predictions.v1", limit=100_000)
    found = batches(one.event.value for one in records)
    assert set(answers) <= {row for batch in found for row in batch.prediction_ids}
    assert {tenant for batch in found for tenant in batch.tenants} == {"calm", "flood"}
