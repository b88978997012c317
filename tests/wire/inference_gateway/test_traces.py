"""One trace from the caller to the worker: two real services export by OTLP to a collector that is a gRPC server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as otlp
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as otlp_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from slipway.client import AsyncSlipway, ColumnSpec, DataType, Feature, FeatureView, ValueType
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.supervisor.ports import free_port
from slipway.supervisor.redis import find_redis

NOON = datetime(2013, 6, 1, 12, tzinfo=UTC)
PLANES = FeatureView(name="planes", owner="fleet", entities=("tailnum",), features=(Feature("year", ValueType.DOUBLE),))
PREDICT = "slipway.inference.v1.InferenceService/Predict"
CALLER = "00f067aa0ba902b7"
READ = "slipway.features.v1.FeatureStoreService/GetOnlineFeatures"


class Collector(otlp_grpc.TraceServiceServicer):
    """Keeps every span that is exported to it, with its service's name."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []

    async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  (the contract's name)
        for one in request.resource_spans:
            facts = {fact.key: fact.value.string_value for fact in one.resource.attributes}
            spans = [span for scope in one.scope_spans for span in scope.spans]
            self.spans += [(facts["service.name"], span) for span in spans]
        return otlp.ExportTraceServiceResponse()

    def of(self, trace: str) -> dict[str, tuple[str, Span]]:
        """A trace's spans, by name."""
        return {span.name: (service, span) for service, span in self.spans if span.trace_id.hex() == trace}


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    collector, server = Collector(), grpc.aio.server()
    otlp_grpc.add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield collector, f"http://127.0.0.1:{port}"
    await server.stop(None)


@contextmanager
def running(*command: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, **more)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=30)


def own(name: str) -> str:
    return str(Path(sys.executable).with_name(f"slipway-{name}"))


def _environment(world: Any, endpoint: str, redis: int) -> dict[str, str]:
    return {
        **os.environ,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "20",
        "SLIPWAY_DATA": str(world.folder),
        "SLIPWAY_EVENTS": world.events,
        "SLIPWAY_REGISTRY_ADDRESS": world.registry_address,
        "SLIPWAY_REDIS": f"redis://127.0.0.1:{redis}/0",
        "SLIPWAY_FEATURE_SERVING_ADDRESS": world.features_address,
        "SLIPWAY_FEATURE_SERVING_GRPC_LISTEN": world.features_address,
        "SLIPWAY_FEATURE_SERVING_METRICS_LISTEN": "127.0.0.1:0",
        "SLIPWAY_INFERENCE_GATEWAY_GRPC_LISTEN": world.address,
        "SLIPWAY_INFERENCE_GATEWAY_HTTP_LISTEN": world.http.removeprefix("http://"),
        "SLIPWAY_INFERENCE_GATEWAY_METRICS_LISTEN": "127.0.0.1:0",
    }


@pytest.fixture
async def fleet(registered: Any, tmp_path: Path) -> AsyncIterator[tuple[Any, Collector]]:
    """A gateway and a feature service as processes that export; a registry that does not."""
    world, port = registered, free_port()
    world.address, world.http = f"127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    async with AsyncExitStack() as stack:
        collector, endpoint = await stack.enter_async_context(collecting())
        processes = stack.enter_context(ExitStack())
        redis = [find_redis(), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(tmp_path), "--save", ""]
        processes.enter_context(running(*redis, stdout=subprocess.DEVNULL))
        environment = _environment(world, endpoint, port)
        await asyncio.to_thread(subprocess.run, [own("features"), "migrate"], env=environment, check=True)
        for name in ("features", "gateway"):
            processes.enter_context(running(own(name), "serve", env=environment, stderr=subprocess.DEVNULL))
        addresses = {"gateway": world.address, "features": world.features_address, "registry": world.registry_address}
        world.client = await stack.enter_async_context(AsyncSlipway(**addresses, timeout_s=30.0))
        world.channel = await stack.enter_async_context(grpc.aio.insecure_channel(world.address))
        await world.channel.channel_ready()
        async with grpc.aio.insecure_channel(world.features_address) as features:
            await features.channel_ready()
        yield world, collector


async def ask(world: Any, trace: str, sampled: str = "01") -> None:
    """A row about a plane, in a trace of the caller's."""
    request = pb.PredictRequest(endpoint="late", event_times=[NOON])
    request.entity_keys.add(name="tailnum").strings.values.append("N1")
    request.features.add(name="distance").doubles.values.append(1.0)
    request.features.add(name="carrier").strings.values.append("UA")
    request.features.add(name="stops").int64s.values.append(2)
    call = world.channel.unary_unary(f"/{PREDICT}")
    sent = (("traceparent", f"00-{trace}-{CALLER}-{sampled}"),)
    answer = pb.PredictResponse.FromString(await call(request.SerializeToString(), timeout=30, metadata=sent))
    assert not answer.predictions[0].degraded


@pytest.mark.parametrize("known", [False, True], ids=["each_read_by_itself", "of_a_form_that_is_known"])
async def test_a_trace_leads_from_the_caller_through_features_and_batch(
    fleet: tuple[Any, Collector], eventually: Any, known: bool
) -> None:
    world, collector = fleet
    await world.client.features.apply([PLANES])
    await world.client.features.push("planes", [{"tailnum": "N1"}], [{"year": 1999.5}], NOON - timedelta(hours=1))
    takes = world.signature({"year": "planes:year"}, ColumnSpec("tailnum", DataType.BYTES))
    version = await world.register(takes=takes)
    await world.route("late", ("main", version, 1))
    await world.ready("late", version)
    traces, unsampled = [f"{number:032x}" for number in range(1, 17)], "f" * 32
    for _ in range(3 * known):
        await ask(world, unsampled, "00")
    await asyncio.gather(*(ask(world, trace) for trace in traces), ask(world, unsampled, "00"))

    async def all_there() -> bool:
        found = [collector.of(trace).keys() for trace in traces]
        told = all(PREDICT in one and {"batch", "batched"} & one for one in found)
        # The other process exports when it likes.
        return told and all(READ in one for one in found if "features" in one)

    await eventually(all_there)
    assert not collector.of(unsampled)
    assert {span.trace_id.hex() for _, span in collector.spans if span.name in {READ, "features"}} <= set(traces)
    calls = {trace: collector.of(trace)[PREDICT][1] for trace in traces}
    assert {one.parent_span_id.hex() for one in calls.values()} == {CALLER}
    batches = [collector.of(trace)["batch"][1] for trace in traces if "batch" in collector.of(trace)]
    linked = [(one.trace_id.hex(), one.span_id) for batch in batches for one in batch.links]
    assert sorted(linked) == sorted((trace, one.span_id) for trace, one in calls.items())
    for trace in traces:
        if (found := collector.of(trace).get("batched")) is not None:
            [link] = found[1].links
            assert found[1].parent_span_id == calls[trace].span_id
            assert link.span_id in {batch.span_id for batch in batches}

    whole = next(trace for trace in traces if {"features", "batch", READ} <= collector.of(trace).keys())
    spans = {name: span for name, (_, span) in collector.of(whole).items()}
    batch = spans["batch"]
    facts = {fact.key: fact.value for fact in batch.attributes}
    assert (facts["slipway.model"].string_value, facts["slipway.version"].int_value) == ("m", version)
    assert facts["slipway.rows"].int_value == facts["slipway.requests"].int_value >= len(batch.links)
    assert batch.parent_span_id == spans["features"].parent_span_id == calls[whole].span_id
    assert spans["queue"].parent_span_id == spans["compute"].parent_span_id == batch.span_id
    ran = spans["onnxruntime.run"]
    assert ran.parent_span_id == spans["compute"].span_id
    assert spans["compute"].start_time_unix_nano <= ran.start_time_unix_nano < ran.end_time_unix_nano
    assert spans["queue"].end_time_unix_nano <= spans["compute"].end_time_unix_nano <= batch.end_time_unix_nano
    assert spans[READ].parent_span_id == spans["features"].span_id
    assert collector.of(whole)[READ][0] == "feature_serving"

    web = "a" * 32
    headers = {"traceparent": f"00-{web}-{CALLER}-01"}
    async with aiohttp.ClientSession() as rest, rest.get(f"{world.http}/v2/models/late", headers=headers) as answer:
        assert answer.status == 200

    async def seen() -> bool:
        return bool(collector.of(web))

    await eventually(seen)
    [(_, span)] = collector.of(web).values()
    assert (span.name, span.parent_span_id.hex()) == ("GET /v2/models/{model}", CALLER)
