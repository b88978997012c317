"""What an endpoint has beside its routes: guardrails, a fallback, an experiment."""

from __future__ import annotations

from services.registry.domain.experiment import Experiment
from services.registry.domain.fallback import DefaultAnswer, DefaultOutput, Fallback, FallbackVersion
from services.registry.domain.guardrails import Guardrails
from slipway.errors import invalid_field
from slipway.gen.slipway.registry.v1 import resources_pb2 as pb


def encode_guardrails(rails: Guardrails) -> pb.Guardrails:
    """Guardrails as the contract has them."""
    return pb.Guardrails(
        max_error_share=rails.max_error_share,
        max_p99_latency_ms=rails.max_p99_latency_ms,
        window_batches=rails.window_batches,
        min_batches=rails.min_batches,
    )


def decode_guardrails(message: pb.Guardrails) -> Guardrails:
    """Guardrails of a request."""
    return Guardrails(
        message.max_error_share if message.HasField("max_error_share") else None,
        message.max_p99_latency_ms if message.HasField("max_p99_latency_ms") else None,
        message.window_batches,
        message.min_batches,
    )


def encode_fallback(fallback: Fallback) -> pb.Fallback:
    """A fallback as the contract has it."""
    if isinstance(fallback, FallbackVersion):
        version = pb.FallbackVersion(
            model=fallback.model,
            version=fallback.version,
            resolved_model=fallback.resolved_model,
            resolved_version=fallback.resolved,
        )
        return pb.Fallback(version=version)
    outputs = [pb.DefaultOutput(name=one.name, values=one.values, texts=one.texts) for one in fallback.outputs]
    answer = pb.DefaultAnswer(
        outputs=outputs,
        when_not_ready=fallback.when_not_ready,
        when_features_unavailable=fallback.when_features_unavailable,
    )
    return pb.Fallback(default_answer=answer)


def decode_fallback(field: str, message: pb.Fallback) -> Fallback:
    """A fallback of a request, not resolved yet. Raises InvalidInput about ``field`` when it says nothing."""
    match message.WhichOneof("answer"):
        case "version":
            return FallbackVersion(message.version.model, message.version.version)
        case "default_answer":
            told = message.default_answer
            return DefaultAnswer(
                tuple(DefaultOutput(one.name, tuple(one.values), tuple(one.texts)) for one in told.outputs),
                told.when_not_ready,
                told.when_features_unavailable,
            )
    raise invalid_field(f"{field}.answer", "is missing; give a version or a default answer")


def encode_experiment(experiment: Experiment) -> pb.Experiment:
    """An experiment as the contract has it."""
    return pb.Experiment(name=experiment.name, arms=experiment.arms, salt=experiment.salt)


def decode_experiment(message: pb.Experiment) -> Experiment:
    """An experiment of a request."""
    return Experiment(message.name, tuple(message.arms), message.salt)
