# Generated from libs/slipway/client/_async/registry.py by scripts/generate; do not edit.
"""Models, versions, aliases and endpoints at the registry."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence

from slipway.client._sync.rollouts import Rollouts
from slipway.client._sync.transport import Stream
from slipway.client.codec import registry as codec
from slipway.client.codec.scalars import UINT32_MAX, UINT64_MAX, text, whole
from slipway.client.codec.versions import decode_version, encode_version
from slipway.client.types.baselines import Baseline
from slipway.client.types.endpoints import Experiment, Fallback, Guardrails
from slipway.client.types.registry import (
    Alias,
    Artifact,
    Endpoint,
    EndpointChange,
    EndpointRevision,
    Lineage,
    Model,
    ModelVersion,
    Route,
    Signature,
)
from slipway.errors import invalid_field
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb

_PAGE = 500


class Registry(Rollouts):
    """The registry. Every write may be repeated: the same body gives the stored result again."""

    def create_model(self, name: str, *, owner: str, description: str = "") -> Model:
        """Create a model; ALREADY_EXISTS when there is one of that name with another owner or description."""
        request = pb.CreateModelRequest(model=codec.encode_model(Model(name, owner, description)))
        return codec.decode_model((self._stub.unary("CreateModel", request, pb.CreateModelResponse)).model)

    def get_model(self, name: str) -> Model:
        """One model with its aliases; NOT_FOUND."""
        request = pb.GetModelRequest(name=text("name", name))
        return codec.decode_model((self._stub.unary("GetModel", request, pb.GetModelResponse)).model)

    def models(self) -> Iterator[Model]:
        """Every model by name, a page at a time."""
        request = pb.ListModelsRequest(page_size=_PAGE)
        for page in self._stub.pages("ListModels", request, pb.ListModelsResponse):
            for model in page.models:
                yield codec.decode_model(model)

    def register_version(
        self,
        model: str,
        artifact: Artifact,
        signature: Signature,
        *,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, str] | None = None,
        lineage: Lineage | None = None,
        baseline: Baseline | None = None,
        request_id: str | None = None,
    ) -> ModelVersion:
        """Register a version on an uploaded artifact and give it the model's next number.

        A caller that may be restarted gives a ``request_id`` and gets the stored version when it comes again;
        without one, a key of this call alone is made. FAILED_PRECONDITION when the artifact was not uploaded.
        """
        version = ModelVersion(
            model, 0, artifact, signature, metrics or {}, params or {}, lineage or Lineage(), baseline=baseline
        )
        request = pb.CreateModelVersionRequest(
            request_id=text("request_id", request_id or str(uuid.uuid4())), version=encode_version(version)
        )
        return decode_version((self._stub.unary("CreateModelVersion", request, pb.CreateModelVersionResponse)).version)

    def get_version(self, model: str, *, number: int | None = None, alias: str | None = None) -> ModelVersion:
        """One version, by exactly one of ``number`` and ``alias``; NOT_FOUND."""
        request = pb.GetModelVersionRequest(model=text("model", model))
        if (number is None) == (alias is None):
            raise invalid_field("selector", "give exactly one of number and alias")
        if number is not None:
            request.number = whole("number", number, UINT32_MAX)
        if alias is not None:
            request.alias = text("alias", alias)
        return decode_version((self._stub.unary("GetModelVersion", request, pb.GetModelVersionResponse)).version)

    def versions(self, model: str) -> Iterator[ModelVersion]:
        """A model's versions, newest first, a page at a time."""
        request = pb.ListModelVersionsRequest(model=text("model", model), page_size=_PAGE)
        for page in self._stub.pages("ListModelVersions", request, pb.ListModelVersionsResponse):
            for version in page.versions:
                yield decode_version(version)

    def set_alias(self, model: str, alias: str, version: int, *, expected_version: int | None = None) -> Alias:
        """Point ``alias`` at ``version``, and with it every endpoint that follows the alias.

        ABORTED when it does not point at ``expected_version`` before (0: it must not exist).
        """
        request = pb.SetAliasRequest(
            model=text("model", model), alias=text("alias", alias), version=whole("version", version, UINT32_MAX)
        )
        if expected_version is not None:
            request.expected_version = whole("expected_version", expected_version, UINT32_MAX)
        keyed = expected_version is None
        return codec.decode_alias((self._stub.unary("SetAlias", request, pb.SetAliasResponse, keyed=keyed)).alias)

    def delete_alias(self, model: str, alias: str) -> None:
        """Remove an alias; FAILED_PRECONDITION while an endpoint follows it."""
        request = pb.DeleteAliasRequest(model=text("model", model), alias=text("alias", alias))
        self._stub.unary("DeleteAlias", request, pb.DeleteAliasResponse)

    def put_endpoint(
        self,
        name: str,
        routes: Sequence[Route],
        *,
        guardrails: Guardrails | None = None,
        fallback: Fallback | None = None,
        sticky_by: Sequence[str] = (),
        experiment: Experiment | None = None,
        expected_revision: int | None = None,
        reason: str = "",
    ) -> Endpoint:
        """Create an endpoint or replace all of it: what is not given, it no longer has.

        ABORTED when its revision is not ``expected_revision`` before (0: it must not exist). ``reason`` is kept with
        the revision.
        """
        endpoint = Endpoint(
            name,
            tuple(routes),
            guardrails=guardrails,
            fallback=fallback,
            sticky_by=tuple(sticky_by),
            experiment=experiment,
        )
        request = pb.PutEndpointRequest(endpoint=codec.encode_endpoint(endpoint), reason=text("reason", reason))
        if expected_revision is not None:
            request.expected_revision = whole("expected_revision", expected_revision, UINT64_MAX)
        keyed = expected_revision is None
        return codec.decode_endpoint(
            (self._stub.unary("PutEndpoint", request, pb.PutEndpointResponse, keyed=keyed)).endpoint
        )

    def get_endpoint(self, name: str) -> Endpoint:
        """One endpoint as it should be; NOT_FOUND."""
        request = pb.GetEndpointRequest(name=text("name", name))
        return codec.decode_endpoint((self._stub.unary("GetEndpoint", request, pb.GetEndpointResponse)).endpoint)

    def endpoints(self) -> Iterator[Endpoint]:
        """Every endpoint by name, a page at a time."""
        request = pb.ListEndpointsRequest(page_size=_PAGE)
        for page in self._stub.pages("ListEndpoints", request, pb.ListEndpointsResponse):
            for endpoint in page.endpoints:
                yield codec.decode_endpoint(endpoint)

    def delete_endpoint(self, name: str) -> None:
        """Remove an endpoint; gateways stop serving it."""
        request = pb.DeleteEndpointRequest(name=text("name", name))
        self._stub.unary("DeleteEndpoint", request, pb.DeleteEndpointResponse)

    def endpoint_revisions(self, endpoint: str) -> Iterator[EndpointRevision]:
        """What an endpoint should have been, newest first, a page at a time; of a deleted one too. NOT_FOUND."""
        request = pb.ListEndpointRevisionsRequest(endpoint=text("endpoint", endpoint), page_size=_PAGE)
        for page in self._stub.pages("ListEndpointRevisions", request, pb.ListEndpointRevisionsResponse):
            for revision in page.revisions:
                yield codec.decode_revision(revision)

    def watch_endpoints(self, subscriber: str = "") -> Stream[EndpointChange]:
        """Everything that endpoints should be, then each change, for as long as you listen.

        Ends with UNAVAILABLE when the registry stops; watch again, and the first message is a snapshot.
        """
        request = pb.WatchEndpointsRequest(subscriber=text("subscriber", subscriber))
        return self._stub.stream("WatchEndpoints", request, pb.WatchEndpointsResponse, codec.decode_change)
