"""Training sets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from services.feature_serving.domain.training_set import Facts, Question, TrainingSet
from slipway.errors import invalid_field
from slipway.gen.slipway.features.v1 import features_pb2, resources_pb2

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def decode_question(message: features_pb2.CreateTrainingSetRequest) -> Question:
    """What is asked for. Raises InvalidInput about a cut-off that is no moment."""
    cutoff_us = _micros(message.cutoff_time) if message.HasField("cutoff_time") else None
    return Question(message.spine_digest, message.feature_service, cutoff_us)


def _micros(moment: Timestamp) -> int:
    try:
        return (moment.ToDatetime(tzinfo=UTC) - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise invalid_field(
            "cutoff_time", "is no moment between the years 1 and 9999; correct it, or leave it out for no cut-off"
        ) from None


def encode_set(made: TrainingSet) -> resources_pb2.TrainingSet:
    """A training set as the contract has it."""
    recipe = made.recipe
    message = resources_pb2.TrainingSet(
        id=made.id,
        state=f"TRAINING_SET_STATE_{made.state}",
        error=made.error,
        feature_service=recipe.feature_service,
        spine_digest=recipe.spine_digest,
        feature_service_revision=recipe.feature_service_revision,
        code=recipe.code,
    )
    message.create_time.FromDatetime(made.create_time)
    if recipe.cutoff_us is not None:
        message.cutoff_time.FromDatetime(_EPOCH + recipe.cutoff_us * _MICROSECOND)
    if made.finish_time is not None:
        message.finish_time.FromDatetime(made.finish_time)
    if made.contents is not None:
        message.digest, message.size_bytes = made.contents.digest, made.contents.size_bytes
        _encode_facts(made.contents.facts, message)
    return message


def _encode_facts(facts: Facts, message: resources_pb2.TrainingSet) -> None:
    message.row_count, message.rows_after_cutoff = facts.row_count, facts.rows_after_cutoff
    for column in facts.columns:
        message.columns.add(
            name=column.name,
            feature=column.feature,
            null_count=column.null_count,
            fallback_count=column.fallback_count,
        )
    for one in facts.inputs:
        message.inputs.add(
            view=one.view,
            view_revision=one.view_revision,
            path=one.path,
            digest=one.digest,
            row_count=one.row_count,
        )
