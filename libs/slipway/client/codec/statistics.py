"""Decoding a gateway's figures."""

from __future__ import annotations

from datetime import UTC

from slipway.client.types.statistics import (
    ArmStatistics,
    Distribution,
    EndpointStatistics,
    GatewayStatistics,
    VersionStatistics,
    WorkerStatistics,
)
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import statistics_pb2


def decode_statistics(message: pb.GetStatisticsResponse) -> GatewayStatistics:
    """Decode all of them."""
    return GatewayStatistics(
        time=message.time.ToDatetime(UTC),
        start_time=message.start_time.ToDatetime(UTC),
        endpoints={one.name: _endpoint(one) for one in message.endpoints},
        versions={(one.model, one.version): _version(one) for one in message.versions},
    )


def _endpoint(message: statistics_pb2.EndpointStatistics) -> EndpointStatistics:
    arms = {one.route: _arm(one) for one in message.arms}
    return EndpointStatistics(message.name, message.waiting_requests, message.waiting_rows, arms)


def _arm(message: statistics_pb2.ArmStatistics) -> ArmStatistics:
    return ArmStatistics(
        route=message.route,
        model=message.model,
        version=message.version,
        weight=message.weight,
        shadow=message.shadow,
        request_seconds=_distribution(message.request_seconds),
        queue_seconds=_distribution(message.queue_seconds),
        request_rows=_distribution(message.request_rows),
        failed_requests=message.failed_requests,
    )


def _version(message: statistics_pb2.VersionStatistics) -> VersionStatistics:
    return VersionStatistics(
        model=message.model,
        version=message.version,
        batch_rows=_distribution(message.batch_rows),
        compute_seconds=_distribution(message.compute_seconds),
        waiting_rows=message.waiting_rows,
        running_batches=message.running_batches,
        running_rows=message.running_rows,
        workers=tuple(WorkerStatistics(one.pid, one.provider, one.resident_bytes) for one in message.workers),
    )


def _distribution(message: statistics_pb2.Distribution) -> Distribution:
    return Distribution(tuple(message.upper_ends), tuple(message.counts), message.sum)
