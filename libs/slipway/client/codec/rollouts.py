"""Rollouts and their plans."""

from __future__ import annotations

from slipway.client.codec.scalars import UINT32_MAX, Names, figure, moment, text, timestamp, whole
from slipway.client.types.rollouts import Rollout, RolloutKind, RolloutPlan, RolloutState, RolloutStep
from slipway.gen.slipway.registry.v1 import resources_pb2 as res

_KINDS = Names(res.RolloutKind, "ROLLOUT_KIND_", RolloutKind)
_STATES = Names(res.RolloutState, "ROLLOUT_STATE_", RolloutState)


def encode_plan(plan: RolloutPlan) -> res.RolloutPlan:
    """Encode a plan."""
    return res.RolloutPlan(
        steps=[
            res.RolloutStep(
                percent=whole(f"plan.steps[{n}].percent", one.percent, UINT32_MAX),
                min_labels=whole(f"plan.steps[{n}].min_labels", one.min_labels, UINT32_MAX),
                max_labels=whole(f"plan.steps[{n}].max_labels", one.max_labels, UINT32_MAX),
            )
            for n, one in enumerate(plan.steps)
        ],
        margin=figure("plan.margin", plan.margin),
        error_rate=figure("plan.error_rate", plan.error_rate),
        kind=_KINDS.number("plan.kind", plan.kind),
        keep_s=whole("plan.keep_s", plan.keep_s, UINT32_MAX),
        experiment=text("plan.experiment", plan.experiment),
    )


def encode_rollout(rollout: Rollout) -> res.Rollout:
    """Encode a rollout with what the registry sets."""
    return res.Rollout(
        id=text("rollout.id", rollout.id),
        model=text("rollout.model", rollout.model),
        candidate_version=whole("rollout.candidate_version", rollout.candidate_version, UINT32_MAX),
        baseline_version=whole("rollout.baseline_version", rollout.baseline_version, UINT32_MAX),
        alias=text("rollout.alias", rollout.alias),
        main_route=text("rollout.main_route", rollout.main_route),
        plan=encode_plan(rollout.plan),
        state=_STATES.number("rollout.state", rollout.state),
        step=whole("rollout.step", rollout.step, UINT32_MAX),
        reason=text("rollout.reason", rollout.reason),
        create_time=timestamp("rollout.create_time", rollout.create_time),
        update_time=timestamp("rollout.update_time", rollout.update_time),
        start_event_time=timestamp("rollout.start_event_time", rollout.start_event_time),
    )


def decode_rollout(message: res.Rollout) -> Rollout:
    """Decode a rollout."""
    plan = message.plan
    return Rollout(
        id=message.id,
        model=message.model,
        candidate_version=message.candidate_version,
        baseline_version=message.baseline_version,
        alias=message.alias,
        main_route=message.main_route,
        plan=RolloutPlan(
            tuple(RolloutStep(one.percent, one.min_labels, one.max_labels) for one in plan.steps),
            plan.margin,
            plan.error_rate,
            # A registry of before there were kinds says none.
            _KINDS.name(plan.kind or res.ROLLOUT_KIND_CANARY),
            plan.keep_s,
            plan.experiment,
        ),
        state=_STATES.name(message.state),
        step=message.step,
        reason=message.reason,
        create_time=moment(message, "create_time"),
        update_time=moment(message, "update_time"),
        start_event_time=moment(message, "start_event_time"),
    )
