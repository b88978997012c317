"""Endpoints, and the watch stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.registry.codec.models import encode_version
from services.registry.codec.moments import stamp
from services.registry.codec.rollouts import encode_rollout
from services.registry.domain.endpoint import DesiredState, Endpoint, Route, Target
from services.registry.domain.model import ModelVersion
from slipway.gen.slipway.registry.v1 import registry_pb2, resources_pb2


def encode_endpoint(endpoint: Endpoint) -> resources_pb2.Endpoint:
    """An endpoint as the contract has it."""
    message = resources_pb2.Endpoint(
        name=endpoint.name, revision=endpoint.revision, update_time=stamp(endpoint.update_time)
    )
    for route in endpoint.routes:
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
    if endpoint.rollout:
        message.rollout.CopyFrom(encode_rollout(endpoint.rollout))
    return message


def decode_routes(message: resources_pb2.Endpoint) -> Sequence[Route]:
    """The arms of an endpoint to be put, not resolved yet."""
    return [
        Route(route.name, Target(route.model, route.version, route.alias), route.weight, shadow=route.shadow)
        for route in message.routes
    ]


def encode_state(state: DesiredState) -> registry_pb2.WatchEndpointsResponse:
    """A step of the watch stream."""
    return registry_pb2.WatchEndpointsResponse(
        revision=state.revision,
        snapshot=state.snapshot,
        endpoints=[encode_endpoint(endpoint) for endpoint in state.endpoints],
        deleted=state.deleted,
        # Whoever serves needs no baseline, and all of them together would be more than a message holds.
        versions=[encode_version(_without_baseline(version)) for version in state.versions],
    )


def _without_baseline(version: ModelVersion) -> ModelVersion:
    return replace(version, draft=replace(version.draft, baseline=None))
