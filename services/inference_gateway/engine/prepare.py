"""Making rows fit a version: what was read is filled in, and the signature is checked, for a whole chunk at once."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.feature_errors import FeaturesUnavailable
from services.inference_gateway.domain.features import Filled, Online, fill, join_keys, unread
from services.inference_gateway.domain.signature import Signature, conform, less
from services.inference_gateway.engine.arm import Arm
from services.inference_gateway.engine.chunk import Chunk, Share, hurried

_AS_GIVEN = Filled((), (), {})
_ROW_BYTES = 64  # what a row takes beside its values


def prepare(
    arm: Arm,
    batch: Batch,
    ids: tuple[str, ...],
    marks: tuple[bytes, ...],
    shares: Sequence[Share],
    *,
    online: Online | None = None,
    rows: Array | None = None,
    shadows: Sequence[Arm] = (),
    shadow: bool = False,
    may_lack: bool = False,
) -> Chunk:
    """The chunk of ``batch`` for an arm.

    ``online`` was read for a batch of which this one is the ``rows`` (indices; None: all), and is None where the
    protocol reads nothing. Raises InvalidInput, FeatureMissing, FeatureTypeMismatch, and FeaturesUnavailable unless it
    ``may_lack`` what can't be read.
    """
    signature, lacking = arm.runner.spec.signature, None
    try:
        filled = _filled(signature, batch, online, rows, shadow=shadow)
    except FeaturesUnavailable as error:
        if not may_lack:
            raise
        lacking, filled = error, Filled((), tuple(range(batch.rows)), {})
        signature = less(signature, unread(signature, batch.features))
    columns = batch.features
    if filled.columns:
        read = {column.name for column in filled.columns}
        columns = (*filled.columns, *[column for column in columns if column.name not in read])
    inputs = conform(signature, columns, batch.rows, batch.places, batch.protocol.field)
    return Chunk(
        arm,
        batch,
        ids,
        marks,
        inputs,
        shares,
        filled.view_times,
        filled.degraded,
        online,
        rows,
        shadows,
        shadow,
        lacking=lacking,
        bytes=sum([array.nbytes for array in inputs.values()]) + batch.rows * _ROW_BYTES,
        hurried_s=inf if shadow else hurried(shares),
        fallbacks=filled.fallbacks,
    )


def _filled(signature: Signature, batch: Batch, online: Online | None, rows: Array | None, *, shadow: bool) -> Filled:
    if online is None or not (specs := unread(signature, batch.features)):
        return _AS_GIVEN
    if shadow:
        join_keys(signature, batch.entity_keys)
    return fill(specs, online, np.arange(batch.rows) if rows is None else rows, batch.places)
