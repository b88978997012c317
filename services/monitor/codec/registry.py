"""What the registry announces, as far as the monitor goes by it."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from services.monitor.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.monitor.domain.endpoint import Endpoint, EndpointGone, Rollout, ServingArm, Step
from slipway.errors import invalid_field
from slipway.events import Event
from slipway.gen.slipway.registry.v1 import events_pb2, resources_pb2


def decode_version(event: Event) -> Baseline | None:
    """The baseline of a version that was registered; None when the event tells of something else.

    Raises InvalidInput saying why the event can't be read.
    """
    try:
        message = events_pb2.ModelVersionChanged.FromString(event.value)
    except DecodeError:
        raise _junk(event, "ModelVersionChanged") from None
    if message.WhichOneof("change") != "created":
        return None
    version = message.created
    told = version.baseline
    # A feature may tell its valid values alone: then there are no bins to hold a window against.
    features = tuple(_feature(feature) for feature in told.features if feature.counts or not _is_bounded(feature))
    return Baseline(version.model, version.number, features, _performance(told.performance)).check()


def _is_bounded(message: resources_pb2.FeatureBaseline) -> bool:
    return message.HasField("minimum") or message.HasField("maximum")


def _feature(message: resources_pb2.FeatureBaseline) -> FeatureBaseline:
    return FeatureBaseline(
        name=message.name,
        importance=message.importance,
        edges=tuple(message.edges),
        categories=tuple(message.categories),
        counts=tuple(message.counts),
        null_count=message.null_count,
        spread=message.spread if message.HasField("spread") else None,
    )


def _performance(message: resources_pb2.PerformanceBaseline) -> PerformanceBaseline:
    names = ("auc", "auc_spread", "log_loss", "log_loss_spread")
    return PerformanceBaseline(**{name: getattr(message, name) for name in names if message.HasField(name)})


def decode_endpoint(event: Event) -> Endpoint | EndpointGone:
    """An endpoint as it should be now, or that it was removed.

    Raises InvalidInput saying why the event can't be read: the monitor judges by endpoints, so it acts on none that it
    only half understands.
    """
    try:
        message = events_pb2.EndpointChanged.FromString(event.value)
    except DecodeError:
        raise _junk(event, "EndpointChanged") from None
    change = message.WhichOneof("change")
    if change == "deleted":
        return EndpointGone(message.deleted)
    if change != "put":
        raise invalid_field("value.change", "is one that this monitor does not know; run a newer one")
    put = message.put
    arms = tuple(
        ServingArm(route.name, route.model, route.resolved_version, route.weight, route.shadow) for route in put.routes
    )
    return Endpoint(put.name, put.revision, arms, _rollout(put.rollout) if put.HasField("rollout") else None)


def _rollout(message: resources_pb2.Rollout) -> Rollout:
    plan = message.plan
    started = message.start_event_time.ToMicroseconds() if message.HasField("start_event_time") else None
    return Rollout(
        id=message.id,
        model=message.model,
        candidate=message.candidate_version,
        baseline=message.baseline_version,
        running=message.state == resources_pb2.ROLLOUT_STATE_RUNNING,
        step=message.step,
        steps=tuple(Step(step.min_labels, step.max_labels) for step in plan.steps),
        margin=plan.margin,
        error_rate=plan.error_rate,
        start_us=started,
    )


def _junk(event: Event, name: str) -> Exception:
    return invalid_field("value", f"{len(event.value)} bytes are not a slipway.registry.v1.{name}")
