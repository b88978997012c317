"""The registry's gRPC methods: decode, call the engine, encode."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing

from services.registry import codec
from services.registry.engine.desired import Aliases, Endpoints
from services.registry.engine.models import Models
from services.registry.engine.revisions import Revisions
from services.registry.engine.rollback import RollBack
from services.registry.engine.rollouts import Rollouts
from services.registry.engine.uploads import Uploads
from services.registry.engine.versions import Versions
from services.registry.engine.watch import Watch
from slipway.errors import invalid_field
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.rpc.call import Call

log = logging.getLogger(__name__)


class RegistryServicer:
    """``slipway.registry.v1.RegistryService``."""

    def __init__(
        self,
        *,
        models: Models,
        versions: Versions,
        aliases: Aliases,
        endpoints: Endpoints,
        rollouts: Rollouts,
        roll_back: RollBack,
        revisions: Revisions,
        uploads: Uploads,
        watch: Watch,
    ) -> None:
        self._models = models
        self._versions = versions
        self._aliases = aliases
        self._endpoints = endpoints
        self._rollouts = rollouts
        self._roll_back = roll_back
        self._revisions = revisions
        self._uploads = uploads
        self._watch = watch

    async def CreateModel(self, request: pb.CreateModelRequest, call: Call) -> pb.CreateModelResponse:
        """Create a model, or give the same one back."""
        asked = request.model
        model = await self._models.create(asked.name, asked.owner, asked.description)
        return pb.CreateModelResponse(model=codec.encode_model(model))

    async def GetModel(self, request: pb.GetModelRequest, call: Call) -> pb.GetModelResponse:
        """Give one model."""
        return pb.GetModelResponse(model=codec.encode_model(await self._models.get(request.name)))

    async def ListModels(self, request: pb.ListModelsRequest, call: Call) -> pb.ListModelsResponse:
        """Give a page of models."""
        found = await self._models.list(request.page_size, request.page_token)
        models = [codec.encode_model(model) for model in found.rows]
        return pb.ListModelsResponse(models=models, next_page_token=found.next_token)

    async def UploadArtifact(
        self, requests: AsyncIterator[pb.UploadArtifactRequest], call: Call
    ) -> pb.UploadArtifactResponse:
        """Store a stream of bytes."""
        first = await anext(requests, pb.UploadArtifactRequest())

        async def chunks() -> AsyncIterator[bytes]:
            yield first.chunk
            async for request in requests:
                yield request.chunk

        stored = await self._uploads.store(first.expected_digest, chunks())
        return pb.UploadArtifactResponse(artifact=codec.encode_artifact(stored))

    async def DownloadArtifact(
        self, request: pb.DownloadArtifactRequest, call: Call
    ) -> AsyncIterator[pb.DownloadArtifactResponse]:
        """Stream an artifact's bytes."""
        async for chunk in self._uploads.chunks(request.digest):
            yield pb.DownloadArtifactResponse(chunk=chunk)

    async def CreateModelVersion(
        self, request: pb.CreateModelVersionRequest, call: Call
    ) -> pb.CreateModelVersionResponse:
        """Register a version."""
        version = await self._versions.register(codec.decode_draft(request.version), request.request_id)
        return pb.CreateModelVersionResponse(version=codec.encode_version(version))

    async def GetModelVersion(self, request: pb.GetModelVersionRequest, call: Call) -> pb.GetModelVersionResponse:
        """Give one version."""
        version = await self._versions.get(request.model, request.number, request.alias)
        return pb.GetModelVersionResponse(version=codec.encode_version(version))

    async def ListModelVersions(self, request: pb.ListModelVersionsRequest, call: Call) -> pb.ListModelVersionsResponse:
        """Give a page of a model's versions."""
        found = await self._versions.list(request.model, request.page_size, request.page_token)
        versions = [codec.encode_version(version) for version in found.rows]
        return pb.ListModelVersionsResponse(versions=versions, next_page_token=found.next_token)

    async def SetAlias(self, request: pb.SetAliasRequest, call: Call) -> pb.SetAliasResponse:
        """Point an alias at a version."""
        expected = request.expected_version if request.HasField("expected_version") else None
        alias = await self._aliases.set(request.model, request.alias, request.version, expected)
        return pb.SetAliasResponse(alias=codec.encode_alias(alias))

    async def DeleteAlias(self, request: pb.DeleteAliasRequest, call: Call) -> pb.DeleteAliasResponse:
        """Remove an alias."""
        await self._aliases.delete(request.model, request.alias)
        return pb.DeleteAliasResponse()

    async def PutEndpoint(self, request: pb.PutEndpointRequest, call: Call) -> pb.PutEndpointResponse:
        """Create or replace an endpoint."""
        expected = request.expected_revision if request.HasField("expected_revision") else None
        spec = codec.decode_spec(request.endpoint)
        endpoint = await self._endpoints.put(request.endpoint.name, spec, expected, request.reason)
        return pb.PutEndpointResponse(endpoint=codec.encode_endpoint(endpoint))

    async def GetEndpoint(self, request: pb.GetEndpointRequest, call: Call) -> pb.GetEndpointResponse:
        """Give one endpoint."""
        return pb.GetEndpointResponse(endpoint=codec.encode_endpoint(await self._endpoints.get(request.name)))

    async def ListEndpoints(self, request: pb.ListEndpointsRequest, call: Call) -> pb.ListEndpointsResponse:
        """Give a page of endpoints."""
        found = await self._endpoints.list(request.page_size, request.page_token)
        endpoints = [codec.encode_endpoint(endpoint) for endpoint in found.rows]
        return pb.ListEndpointsResponse(endpoints=endpoints, next_page_token=found.next_token)

    async def DeleteEndpoint(self, request: pb.DeleteEndpointRequest, call: Call) -> pb.DeleteEndpointResponse:
        """Stop serving an endpoint."""
        await self._endpoints.delete(request.name)
        return pb.DeleteEndpointResponse()

    async def StartRollout(self, request: pb.StartRolloutRequest, call: Call) -> pb.StartRolloutResponse:
        """Start to take an endpoint over by another version."""
        endpoint = await self._rollouts.start(codec.decode_start(request))
        return pb.StartRolloutResponse(endpoint=codec.encode_endpoint(endpoint))

    async def CancelRollout(self, request: pb.CancelRolloutRequest, call: Call) -> pb.CancelRolloutResponse:
        """End a running rollout."""
        endpoint = await self._rollouts.cancel(request.endpoint, request.rollout_id, request.reason)
        return pb.CancelRolloutResponse(endpoint=codec.encode_endpoint(endpoint))

    async def ListRollouts(self, request: pb.ListRolloutsRequest, call: Call) -> pb.ListRolloutsResponse:
        """Give a page of an endpoint's rollouts."""
        found = await self._rollouts.list(request.endpoint, request.page_size, request.page_token)
        rollouts = [codec.encode_rollout(rollout) for rollout in found.rows]
        return pb.ListRolloutsResponse(rollouts=rollouts, next_page_token=found.next_token)

    async def RollBackEndpoint(self, request: pb.RollBackEndpointRequest, call: Call) -> pb.RollBackEndpointResponse:
        """Put an endpoint back, to the version before or to a revision."""
        from_version = request.from_version if request.HasField("from_version") else None
        if not request.HasField("to_revision"):
            endpoint = await self._roll_back.roll_back(request.endpoint, from_version, request.reason)
        elif from_version is None:
            endpoint = await self._roll_back.to_revision(request.endpoint, request.to_revision, request.reason)
        else:
            raise invalid_field("from_version", "stands beside to_revision; leave it out, that call may be repeated")
        return pb.RollBackEndpointResponse(endpoint=codec.encode_endpoint(endpoint))

    async def ListEndpointRevisions(
        self, request: pb.ListEndpointRevisionsRequest, call: Call
    ) -> pb.ListEndpointRevisionsResponse:
        """Give a page of an endpoint's revisions."""
        found = await self._revisions.list(request.endpoint, request.page_size, request.page_token)
        revisions = [codec.encode_revision(revision) for revision in found.rows]
        return pb.ListEndpointRevisionsResponse(revisions=revisions, next_page_token=found.next_token)

    async def WatchEndpoints(
        self, request: pb.WatchEndpointsRequest, call: Call
    ) -> AsyncIterator[pb.WatchEndpointsResponse]:
        """Stream the desired state."""
        log.info("a watcher came", extra={"subscriber": request.subscriber[:128]})
        async with aclosing(self._watch.follow()) as states:
            async for state in states:
                yield codec.encode_state(state)
