"""The gateway's figures as messages."""

from __future__ import annotations

from datetime import datetime

from services.inference_gateway.engine.vitals import ArmVitals, EndpointVitals, VersionVitals, Vitals
from slipway.gen.slipway.inference.v1 import inference_pb2 as pb
from slipway.gen.slipway.inference.v1 import statistics_pb2
from slipway.observe.histogram import Distribution


def encode_vitals(vitals: Vitals, now: datetime) -> pb.GetStatisticsResponse:
    """All of them, as they are now."""
    response = pb.GetStatisticsResponse(
        endpoints=[_endpoint(one) for one in vitals.endpoints()],
        versions=[_version(one) for one in vitals.versions()],
    )
    response.time.FromDatetime(now)
    response.start_time.FromDatetime(vitals.since)
    return response


def _endpoint(one: EndpointVitals) -> statistics_pb2.EndpointStatistics:
    return statistics_pb2.EndpointStatistics(
        name=one.name,
        waiting_requests=one.waiting_requests,
        waiting_rows=one.waiting_rows,
        arms=[_arm(arm) for arm in one.arms],
    )


def _arm(one: ArmVitals) -> statistics_pb2.ArmStatistics:
    return statistics_pb2.ArmStatistics(
        route=one.route.name,
        model=one.route.version.model,
        version=one.route.version.number,
        weight=one.route.weight,
        shadow=one.route.shadow,
        request_seconds=_distribution(one.count.seconds),
        queue_seconds=_distribution(one.count.queued),
        request_rows=_distribution(one.count.rows),
        failed_requests=one.failed_requests,
    )


def _version(one: VersionVitals) -> statistics_pb2.VersionStatistics:
    return statistics_pb2.VersionStatistics(
        model=one.version.model,
        version=one.version.number,
        batch_rows=_distribution(one.count.rows),
        compute_seconds=_distribution(one.count.seconds),
        waiting_rows=one.load.waiting_rows,
        running_batches=one.load.batches,
        running_rows=one.load.rows,
        workers=[
            statistics_pb2.WorkerStatistics(pid=up.pid, provider=up.provider, resident_bytes=up.resident_bytes)
            for up in one.workers
        ],
    )


def _distribution(one: Distribution) -> statistics_pb2.Distribution:
    return statistics_pb2.Distribution(upper_ends=one.ends, counts=one.counts, sum=one.total)
