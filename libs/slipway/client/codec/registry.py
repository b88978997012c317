"""The registry's messages: models, aliases, endpoints and changes of them."""

from __future__ import annotations

from slipway.client.codec import endpoints, versions
from slipway.client.codec.rollouts import decode_rollout, encode_rollout
from slipway.client.codec.scalars import UINT32_MAX, UINT64_MAX, moment, text, timestamp, whole
from slipway.client.types.registry import Alias, Endpoint, EndpointChange, EndpointRevision, Model, Route
from slipway.errors import invalid_field
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.gen.slipway.registry.v1 import resources_pb2 as res


def encode_alias(alias: Alias) -> res.Alias:
    """Encode an alias."""
    return res.Alias(
        name=text("alias.name", alias.name),
        version=whole("alias.version", alias.version, UINT32_MAX),
        update_time=timestamp("alias.update_time", alias.update_time),
    )


def decode_alias(message: res.Alias) -> Alias:
    """Decode an alias."""
    return Alias(message.name, message.version, moment(message, "update_time"))


def encode_model(model: Model) -> res.Model:
    """Encode a model with what the registry sets."""
    return res.Model(
        name=text("model.name", model.name),
        owner=text("model.owner", model.owner),
        description=text("model.description", model.description),
        create_time=timestamp("model.create_time", model.create_time),
        aliases=[encode_alias(alias) for alias in model.aliases],
        latest_version=whole("model.latest_version", model.latest_version, UINT32_MAX),
    )


def decode_model(message: res.Model) -> Model:
    """Decode a model."""
    return Model(
        name=message.name,
        owner=message.owner,
        description=message.description,
        create_time=moment(message, "create_time"),
        aliases=tuple(decode_alias(alias) for alias in message.aliases),
        latest_version=message.latest_version,
    )


def encode_route(route: Route, field: str) -> res.Route:
    """Encode a route; refused unless it has exactly one of version and alias."""
    if (route.version is None) == (route.alias is None):
        raise invalid_field(field, "needs exactly one of version and alias")
    made = res.Route(
        name=text(f"{field}.name", route.name),
        model=text(f"{field}.model", route.model),
        weight=whole(f"{field}.weight", route.weight, UINT32_MAX),
        resolved_version=whole(f"{field}.resolved_version", route.resolved_version, UINT32_MAX),
        shadow=route.shadow,
    )
    if route.version is not None:
        made.version = whole(f"{field}.version", route.version, UINT32_MAX)
    if route.alias is not None:
        made.alias = text(f"{field}.alias", route.alias)
    return made


def decode_route(message: res.Route) -> Route:
    """Decode a route."""
    target = message.WhichOneof("target")
    return Route(
        name=message.name,
        model=message.model,
        version=message.version if target == "version" else None,
        alias=message.alias if target == "alias" else None,
        weight=message.weight,
        resolved_version=message.resolved_version,
        shadow=message.shadow,
    )


def encode_endpoint(endpoint: Endpoint) -> res.Endpoint:
    """Encode an endpoint with what the registry sets."""
    rails, fallback, experiment = endpoint.guardrails, endpoint.fallback, endpoint.experiment
    return res.Endpoint(
        name=text("endpoint.name", endpoint.name),
        routes=[encode_route(route, f"endpoint.routes[{n}]") for n, route in enumerate(endpoint.routes)],
        revision=whole("endpoint.revision", endpoint.revision, UINT64_MAX),
        update_time=timestamp("endpoint.update_time", endpoint.update_time),
        rollout=encode_rollout(endpoint.rollout) if endpoint.rollout else None,
        guardrails=endpoints.encode_guardrails("endpoint.guardrails", rails) if rails is not None else None,
        fallback=endpoints.encode_fallback("endpoint.fallback", fallback) if fallback is not None else None,
        sticky_by=[text(f"endpoint.sticky_by[{n}]", key) for n, key in enumerate(endpoint.sticky_by)],
        experiment=endpoints.encode_experiment("endpoint.experiment", experiment) if experiment is not None else None,
    )


def decode_endpoint(message: res.Endpoint) -> Endpoint:
    """Decode an endpoint."""
    return Endpoint(
        name=message.name,
        routes=tuple(decode_route(route) for route in message.routes),
        revision=message.revision,
        update_time=moment(message, "update_time"),
        rollout=decode_rollout(message.rollout) if message.HasField("rollout") else None,
        guardrails=endpoints.decode_guardrails(message.guardrails) if message.HasField("guardrails") else None,
        fallback=endpoints.decode_fallback(message.fallback) if message.HasField("fallback") else None,
        sticky_by=tuple(message.sticky_by),
        experiment=endpoints.decode_experiment(message.experiment) if message.HasField("experiment") else None,
    )


def decode_revision(message: res.EndpointRevision) -> EndpointRevision:
    """Decode a revision of an endpoint."""
    cause = endpoints.CAUSES.name(message.cause)
    return EndpointRevision(decode_endpoint(message.endpoint), cause, message.reason, message.rollout_id)


def encode_change(change: EndpointChange) -> pb.WatchEndpointsResponse:
    """Encode a change of the desired state."""
    return pb.WatchEndpointsResponse(
        revision=whole("revision", change.revision, UINT64_MAX),
        snapshot=change.snapshot,
        endpoints=[encode_endpoint(endpoint) for endpoint in change.endpoints],
        deleted=change.deleted,
        versions=[versions.encode_version(version) for version in change.versions],
    )


def decode_change(message: pb.WatchEndpointsResponse) -> EndpointChange:
    """Decode a change of the desired state."""
    return EndpointChange(
        revision=message.revision,
        snapshot=message.snapshot,
        endpoints=tuple(decode_endpoint(endpoint) for endpoint in message.endpoints),
        deleted=tuple(message.deleted),
        versions=tuple(versions.decode_version(version) for version in message.versions),
    )
