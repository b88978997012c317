"""The engine's statistics in the Open Inference Protocol's messages."""

from __future__ import annotations

from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.engine.statistics import Duration, Tally
from slipway.gen.inference import statistics_pb2 as pb


def encode_tally(endpoint: str, version: VersionKey, tally: Tally) -> pb.ModelStatistics:
    """One version's statistics under one endpoint."""
    told = pb.ModelStatistics(
        name=endpoint,
        version=str(version.number),
        last_inference=int(tally.last.timestamp() * 1e3) if tally.last else 0,
        inference_count=tally.rows,
        execution_count=tally.runs,
    )
    _fill(told.inference_stats.success, tally.success)
    _fill(told.inference_stats.fail, tally.fail)
    _fill(told.inference_stats.queue, tally.queue)
    _fill(told.inference_stats.compute_input, tally.requests.compute_input)
    _fill(told.inference_stats.compute_infer, tally.requests.compute_infer)
    _fill(told.inference_stats.compute_output, tally.requests.compute_output)
    for rows in sorted(tally.by_rows):
        one, runs = told.batch_stats.add(batch_size=rows), tally.by_rows[rows]
        _fill(one.compute_input, runs.compute_input)
        _fill(one.compute_infer, runs.compute_infer)
        _fill(one.compute_output, runs.compute_output)
    return told


def _fill(message: pb.StatisticDuration, duration: Duration) -> None:
    message.count, message.ns = duration.count, duration.ns
