"""Rollouts and their plans."""

from __future__ import annotations

from services.registry.codec.moments import moment, stamp
from services.registry.domain.rollout import Rollout, RolloutKind, RolloutPlan, RolloutStep
from services.registry.domain.start import StartRollout
from slipway.errors import invalid_field
from slipway.gen.slipway.registry.v1 import registry_pb2, resources_pb2

_KINDS: dict[int, RolloutKind] = {
    resources_pb2.ROLLOUT_KIND_UNSPECIFIED: RolloutKind.CANARY,
    **{resources_pb2.RolloutKind.Value(f"ROLLOUT_KIND_{one}"): one for one in RolloutKind},
}


def encode_rollout(rollout: Rollout) -> resources_pb2.Rollout:
    """A rollout as the contract has it."""
    return resources_pb2.Rollout(
        id=rollout.id,
        model=rollout.model,
        candidate_version=rollout.candidate_version,
        baseline_version=rollout.baseline_version,
        alias=rollout.alias,
        main_route=rollout.main_route,
        plan=_encode_plan(rollout.plan),
        state=f"ROLLOUT_STATE_{rollout.state}",
        step=rollout.step,
        reason=rollout.reason,
        create_time=stamp(rollout.create_time),
        update_time=stamp(rollout.update_time),
        start_event_time=stamp(rollout.start_event_time) if rollout.start_event_time else None,
    )


def _encode_plan(plan: RolloutPlan) -> resources_pb2.RolloutPlan:
    return resources_pb2.RolloutPlan(
        steps=[
            resources_pb2.RolloutStep(percent=one.percent, min_labels=one.min_labels, max_labels=one.max_labels)
            for one in plan.steps
        ],
        margin=plan.margin,
        error_rate=plan.error_rate,
        kind=f"ROLLOUT_KIND_{plan.kind}",
        keep_s=plan.keep_s,
        experiment=plan.experiment,
    )


def decode_start(request: registry_pb2.StartRolloutRequest) -> StartRollout:
    """A rollout to be started. Raises InvalidInput about a moment that is none and a kind that is not known."""
    return StartRollout(
        request_id=request.request_id,
        endpoint=request.endpoint,
        version=request.version,
        plan=_decode_plan(request.plan) if request.HasField("plan") else None,
        start_event_time=moment("start_event_time", request.start_event_time)
        if request.HasField("start_event_time")
        else None,
    )


def _decode_plan(message: resources_pb2.RolloutPlan) -> RolloutPlan:
    steps = tuple(RolloutStep(one.percent, one.min_labels, one.max_labels) for one in message.steps)
    if message.kind not in _KINDS:
        raise invalid_field("plan.kind", f"{message.kind} is not known; give one of {', '.join(RolloutKind)}")
    return RolloutPlan(
        steps, message.margin, message.error_rate, _KINDS[message.kind], message.keep_s, message.experiment
    )
