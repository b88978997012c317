"""What an endpoint has beside its routes: guardrails, a fallback, an experiment."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.client.codec.scalars import UINT32_MAX, Names, figure, text, whole
from slipway.client.types.endpoints import (
    DefaultAnswer,
    Experiment,
    Fallback,
    FallbackVersion,
    Guardrails,
    RevisionCause,
)
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

CAUSES = Names(res.RevisionCause, "REVISION_CAUSE_", RevisionCause)


def encode_guardrails(field: str, rails: Guardrails) -> res.Guardrails:
    """Encode guardrails."""
    share, latency = rails.max_error_share, rails.max_p99_latency_ms
    return res.Guardrails(
        max_error_share=None if share is None else figure(f"{field}.max_error_share", share),
        max_p99_latency_ms=None if latency is None else figure(f"{field}.max_p99_latency_ms", latency),
        window_batches=whole(f"{field}.window_batches", rails.window_batches, UINT32_MAX),
        min_batches=whole(f"{field}.min_batches", rails.min_batches, UINT32_MAX),
    )


def decode_guardrails(message: res.Guardrails) -> Guardrails:
    """Decode guardrails."""
    return Guardrails(
        max_error_share=message.max_error_share if message.HasField("max_error_share") else None,
        max_p99_latency_ms=message.max_p99_latency_ms if message.HasField("max_p99_latency_ms") else None,
        window_batches=message.window_batches,
        min_batches=message.min_batches,
    )


def encode_fallback(field: str, fallback: Fallback) -> res.Fallback:
    """Encode a fallback with what the registry sets."""
    if isinstance(fallback, FallbackVersion):
        version = res.FallbackVersion(
            model=text(f"{field}.model", fallback.model),
            version=whole(f"{field}.version", fallback.version, UINT32_MAX),
            resolved_model=text(f"{field}.resolved_model", fallback.resolved_model),
            resolved_version=whole(f"{field}.resolved_version", fallback.resolved_version, UINT32_MAX),
        )
        return res.Fallback(version=version)
    outputs = [_encode_output(f"{field}.outputs", name, values) for name, values in fallback.outputs.items()]
    answer = res.DefaultAnswer(
        outputs=outputs,
        when_not_ready=fallback.when_not_ready,
        when_features_unavailable=fallback.when_features_unavailable,
    )
    return res.Fallback(default_answer=answer)


def _encode_output(field: str, name: str, values: Sequence[float | str]) -> res.DefaultOutput:
    made = res.DefaultOutput(name=text(field, name))
    for place, value in enumerate(values):
        if isinstance(value, str):
            made.texts.append(text(f"{field}.{name}[{place}]", value))
        else:
            made.values.append(figure(f"{field}.{name}[{place}]", value))
    return made


def decode_fallback(message: res.Fallback) -> Fallback | None:
    """Decode a fallback; None for a kind that is not known here."""
    match message.WhichOneof("answer"):
        case "version":
            one = message.version
            return FallbackVersion(one.model, one.version, one.resolved_model, one.resolved_version)
        case "default_answer":
            told = message.default_answer
            return DefaultAnswer(
                {one.name: tuple(one.texts) or tuple(one.values) for one in told.outputs},
                told.when_not_ready,
                told.when_features_unavailable,
            )
    return None


def encode_experiment(field: str, experiment: Experiment) -> res.Experiment:
    """Encode an experiment."""
    return res.Experiment(
        name=text(f"{field}.name", experiment.name),
        arms=[text(f"{field}.arms[{place}]", arm) for place, arm in enumerate(experiment.arms)],
        salt=text(f"{field}.salt", experiment.salt),
    )


def decode_experiment(message: res.Experiment) -> Experiment:
    """Decode an experiment."""
    return Experiment(message.name, tuple(message.arms), message.salt)
