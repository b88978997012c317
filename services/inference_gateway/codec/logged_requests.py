"""Whose rows the log's record of an answer holds, when each was asked, and how long it took, as bytes.

What all requests of a batch share is written once and repeated; what differs is left to protobuf, but for one alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from services.inference_gateway.domain.answer import Answer
from services.inference_gateway.domain.packed import head, little_endian, varint
from slipway.gen.slipway.inference.v1 import events_pb2

_IDS, _TIMES, _DIGESTS, _TRACE, _ROWS, _TRACES, _TENANTS, _LATENCIES = 6, 7, 12, 13, 18, 19, 20, 21
"""Fields of a PredictionBatch."""
_ONE_BYTE = 0x80  # numbers below it take one
_LONGEST_US = 2**32 - 1


def request_fields(answer: Answer) -> list[bytes]:
    """The rows' ids, moments and digests, and the requests that they come from; in pieces."""
    batch = answer.batch
    moments = little_endian(batch.event_times_us.astype(np.int64, copy=False))
    fields = [head(_TIMES, len(moments)), moments]
    if answer.digests:
        fields += [_text(_DIGESTS, one) for one in answer.digests]
    else:
        fields.append(_text(_DIGESTS, b"") * batch.rows)
    if len(answer.ids) == 1 and len(batch.origins) == 1:
        fields += _alone(answer)
    else:
        fields += _together(answer)
    return fields


def _alone(answer: Answer) -> tuple[bytes, ...]:
    """One row of one request."""
    [(_, tenant, trace_id, _)] = answer.batch.origins
    trace = trace_id.encode()
    return (
        _text(_IDS, answer.ids[0].encode()),
        _text(_TRACE, trace) if trace else b"",
        _text(_TRACES, trace),
        _shared(_TENANTS, tenant),
        head(_ROWS, 1) + b"\x01",
    )


def _together(answer: Answer) -> tuple[bytes, ...]:
    batch = answer.batch
    if not batch.origins:
        told = events_pb2.PredictionBatch(prediction_ids=answer.ids, trace_id=batch.trace_id)
        return (told.SerializeToString(),)
    rows, tenants, traces, _ = zip(*batch.origins, strict=True)
    told = events_pb2.PredictionBatch(
        prediction_ids=answer.ids,
        trace_id=traces[0] if len(set(traces)) == 1 else "",
        trace_ids=traces,
    )
    counts = bytes(rows) if max(rows) < _ONE_BYTE else b"".join(map(varint, rows))
    # A wave is of one tenant.
    return told.SerializeToString(), head(_ROWS, len(counts)), counts, _shared(_TENANTS, tenants[0]) * len(tenants)


def latency_fields(answer: Answer) -> tuple[bytes, ...]:
    """How long each request of the rows took, in microseconds; in pieces."""
    origins = answer.batch.origins
    if not origins:
        return ()
    latencies = b"".join(map(varint, _waited_us([one.began_s for one in origins], answer.ended_s)))
    return head(_LATENCIES, len(latencies)), latencies


def _waited_us(began_s: Sequence[float], ended_s: float) -> list[int]:
    waited = [int((ended_s - one) * 1e6) for one in began_s]
    if min(waited) < 0 or max(waited) > _LONGEST_US:
        return [min(max(one, 0), _LONGEST_US) for one in waited]
    return waited


def _text(field: int, data: bytes) -> bytes:
    return head(field, len(data)) + data


@lru_cache(maxsize=1024)
def _shared(field: int, text: str) -> bytes:
    return _text(field, text.encode())
