"""Training sets' messages."""

from __future__ import annotations

from slipway.client.codec.scalars import Names, moment
from slipway.client.types.training_sets import TrainingSet, TrainingSetColumn, TrainingSetInput, TrainingSetState
from slipway.gen.slipway.features.v1 import resources_pb2 as res

_STATES = Names(res.TrainingSetState, "TRAINING_SET_STATE_", TrainingSetState)


def decode_training_set(message: res.TrainingSet) -> TrainingSet:
    """Decode a training set."""
    return TrainingSet(
        id=message.id,
        state=_STATES.name(message.state),
        feature_service=message.feature_service,
        spine_digest=message.spine_digest,
        error=message.error,
        cutoff=moment(message, "cutoff_time"),
        digest=message.digest,
        size_bytes=message.size_bytes,
        row_count=message.row_count,
        rows_after_cutoff=message.rows_after_cutoff,
        columns=tuple(
            TrainingSetColumn(one.name, one.feature, one.null_count, one.fallback_count) for one in message.columns
        ),
        inputs=tuple(
            TrainingSetInput(one.view, one.view_revision, one.path, one.digest, one.row_count) for one in message.inputs
        ),
        feature_service_revision=message.feature_service_revision,
        code=message.code,
        create_time=moment(message, "create_time"),
        finish_time=moment(message, "finish_time"),
    )
