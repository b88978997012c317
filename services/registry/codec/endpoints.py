"""Endpoints, and the watch stream."""

from __future__ import annotations

from dataclasses import replace

from services.registry.codec.baselines import encode_told
from services.registry.codec.endpoint_parts import (
    decode_experiment,
    decode_fallback,
    decode_guardrails,
    encode_experiment,
    encode_fallback,
    encode_guardrails,
)
from services.registry.codec.models import encode_version
from services.registry.codec.moments import stamp
from services.registry.codec.rollouts import encode_rollout
from services.registry.domain.endpoint import DesiredState, Endpoint, EndpointSpec, Route, Target
from services.registry.domain.model import ModelVersion
from services.registry.domain.revision import EndpointRevision
from slipway.gen.slipway.registry.v1 import registry_pb2, resources_pb2


def encode_endpoint(endpoint: Endpoint) -> resources_pb2.Endpoint:
    """An endpoint as the contract has it."""
    message = _encode_spec(endpoint.spec)
    message.name, message.revision = endpoint.name, endpoint.revision
    message.update_time.CopyFrom(stamp(endpoint.update_time))
    if endpoint.rollout:
        message.rollout.CopyFrom(encode_rollout(endpoint.rollout))
    return message


def encode_revision(revision: EndpointRevision) -> resources_pb2.EndpointRevision:
    """A revision of an endpoint as the contract has it."""
    endpoint = _encode_spec(revision.spec) if revision.spec else resources_pb2.Endpoint()
    endpoint.name, endpoint.revision = revision.endpoint, revision.revision
    endpoint.update_time.CopyFrom(stamp(revision.time))
    return resources_pb2.EndpointRevision(
        endpoint=endpoint,
        cause=f"REVISION_CAUSE_{revision.why.cause}",
        reason=revision.why.reason,
        rollout_id=revision.why.rollout_id,
    )


def _encode_spec(spec: EndpointSpec) -> resources_pb2.Endpoint:
    message = resources_pb2.Endpoint(
        guardrails=encode_guardrails(spec.guardrails) if spec.guardrails else None,
        fallback=encode_fallback(spec.fallback) if spec.fallback else None,
        sticky_by=spec.sticky_by,
        experiment=encode_experiment(spec.experiment) if spec.experiment else None,
    )
    for route in spec.routes:
        entry = message.routes.add(
            name=route.name,
            model=route.target.model,
            weight=route.weight,
            resolved_version=route.resolved,
            shadow=route.shadow,
        )
        if route.target.alias:
            entry.alias = route.target.alias
        else:
            entry.version = route.target.version
    return message


def decode_spec(message: resources_pb2.Endpoint) -> EndpointSpec:
    """What an endpoint that is to be put should be, not resolved yet. Raises InvalidInput about an empty fallback."""
    routes = tuple(
        Route(route.name, Target(route.model, route.version, route.alias), route.weight, shadow=route.shadow)
        for route in message.routes
    )
    return EndpointSpec(
        routes,
        guardrails=decode_guardrails(message.guardrails) if message.HasField("guardrails") else None,
        fallback=decode_fallback("endpoint.fallback", message.fallback) if message.HasField("fallback") else None,
        sticky_by=tuple(message.sticky_by),
        experiment=decode_experiment(message.experiment) if message.HasField("experiment") else None,
    )


def encode_state(state: DesiredState) -> registry_pb2.WatchEndpointsResponse:
    """A step of the watch stream."""
    return registry_pb2.WatchEndpointsResponse(
        revision=state.revision,
        snapshot=state.snapshot,
        endpoints=[encode_endpoint(endpoint) for endpoint in state.endpoints],
        deleted=state.deleted,
        # Whoever serves needs no more of baselines, and all of them together would be more than a message holds.
        versions=[_less(version) for version in state.versions],
    )


def _less(version: ModelVersion) -> resources_pb2.ModelVersion:
    """The version with nothing of its baseline but which values are valid, and which are typical."""
    told = version.draft.baseline
    message = encode_version(replace(version, draft=replace(version.draft, baseline=None)))
    if told is not None and (kept := encode_told(told)).features:
        message.baseline.CopyFrom(kept)
    return message
