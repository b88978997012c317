"""The registry of the client's test platform."""

# ruff: noqa: N802  (method names are the contract's)
from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator

from slipway.errors import FieldViolation, InvalidInput, NotFound, Unavailable
from slipway.gen.slipway.registry.v1 import registry_pb2 as registry
from slipway.gen.slipway.registry.v1 import resources_pb2 as resources
from slipway.rpc.call import Call

WHOLE = b"damaged on its way"


class OddName(InvalidInput):
    reason = "ODD_NAME"


class WarmingUp(Unavailable):
    reason = "WARMING_UP"


class Junk:
    def SerializeToString(self) -> bytes:
        return b"\xff\xff\xff"


class Attempts:
    """Fails the first two attempts at each key, as a service that starts does."""

    def __init__(self) -> None:
        self._made: Counter[str] = Counter()

    def fail_twice(self, key: str) -> int:
        self._made[key] += 1
        if self._made[key] <= 2:
            raise WarmingUp(f"attempt {self._made[key]}")
        return self._made[key]

    def of(self, key: str) -> int:
        return self._made[key]


class Registry:
    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        self._bytes = {"sha256:" + "0" * 64: WHOLE}

    async def CreateModel(self, request: registry.CreateModelRequest, call: Call) -> registry.CreateModelResponse:
        return registry.CreateModelResponse(model=request.model)

    async def GetModel(self, request: registry.GetModelRequest, call: Call) -> object:
        """odd: every error detail; seen: what arrived beside the message; flaky…; attempts/<key>; never; junk."""
        name, model = request.name, resources.Model(name=request.name)
        if name == "odd":
            raise OddName(
                "the name is odd",
                facts={"name": name},
                violations=[FieldViolation("name", "is odd"), FieldViolation("owner", "is absent")],
                retry_after_s=1.5,
            )
        if name == "never":
            await asyncio.Event().wait()
        if name == "junk":
            return Junk()
        if name == "seen":
            seen = {"remaining_s": call.remaining_s, "metadata": sorted(call.metadata)}
            seen["traceparent"] = call.metadata.get("traceparent")
            model.description = json.dumps(seen)
        if name.startswith("flaky"):
            model.latest_version = self._attempts.fail_twice(name)
        if name.startswith("attempts/"):
            model.latest_version = self._attempts.of(name.removeprefix("attempts/"))
        return registry.GetModelResponse(model=model)

    async def ListModels(self, request: registry.ListModelsRequest, call: Call) -> registry.ListModelsResponse:
        """Five models, two a page."""
        start = int(request.page_token or 0)
        models = [resources.Model(name=f"m{n}") for n in range(start, min(start + 2, 5))]
        return registry.ListModelsResponse(models=models, next_page_token=str(start + 2) if start < 4 else "")

    async def UploadArtifact(
        self, requests: AsyncIterator[registry.UploadArtifactRequest], call: Call
    ) -> registry.UploadArtifactResponse:
        """A first piece of b"lie" is stored as something else."""
        data, largest, announced = b"", 0, ""
        async for request in requests:
            data += request.chunk
            largest = max(largest, len(request.chunk))
            announced = announced or request.expected_digest
        if largest > 2**20:
            raise InvalidInput("a piece is too large")
        digest = "sha256:" + hashlib.sha256(b"truth" if data == b"lie" else data).hexdigest()
        if announced not in {"", digest} and data != b"lie":
            raise InvalidInput("not the digest that was announced", facts={"announced": announced})
        self._bytes[digest] = data
        return registry.UploadArtifactResponse(artifact=resources.Artifact(digest=digest, size_bytes=len(data)))

    async def DownloadArtifact(
        self, request: registry.DownloadArtifactRequest, call: Call
    ) -> AsyncIterator[registry.DownloadArtifactResponse]:
        if request.digest not in self._bytes:
            raise NotFound("no such artifact")
        data = self._bytes[request.digest]
        for start in range(0, len(data), 2**20):
            yield registry.DownloadArtifactResponse(chunk=data[start : start + 2**20])

    async def CreateModelVersion(
        self, request: registry.CreateModelVersionRequest, call: Call
    ) -> registry.CreateModelVersionResponse:
        """Fails twice for each key; the number is the attempt."""
        version = resources.ModelVersion()
        version.CopyFrom(request.version)
        version.number = self._attempts.fail_twice(request.request_id)
        return registry.CreateModelVersionResponse(version=version)

    async def GetModelVersion(
        self, request: registry.GetModelVersionRequest, call: Call
    ) -> registry.GetModelVersionResponse:
        """Says how it was selected in params."""
        chosen = request.WhichOneof("selector") or ""
        version = resources.ModelVersion(model=request.model, number=request.number, params={"by": chosen})
        return registry.GetModelVersionResponse(version=version)

    async def ListModelVersions(
        self, request: registry.ListModelVersionsRequest, call: Call
    ) -> registry.ListModelVersionsResponse:
        versions = [resources.ModelVersion(model=request.model, number=number) for number in (2, 1)]
        return registry.ListModelVersionsResponse(versions=versions)

    async def SetAlias(self, request: registry.SetAliasRequest, call: Call) -> registry.SetAliasResponse:
        self._attempts.fail_twice(request.alias)
        return registry.SetAliasResponse(alias=resources.Alias(name=request.alias, version=request.version))

    async def DeleteAlias(self, request: registry.DeleteAliasRequest, call: Call) -> registry.DeleteAliasResponse:
        self._attempts.fail_twice(request.alias)
        return registry.DeleteAliasResponse()

    async def PutEndpoint(self, request: registry.PutEndpointRequest, call: Call) -> registry.PutEndpointResponse:
        endpoint = resources.Endpoint()
        endpoint.CopyFrom(request.endpoint)
        endpoint.revision = request.expected_revision + 1
        return registry.PutEndpointResponse(endpoint=endpoint)

    async def GetEndpoint(self, request: registry.GetEndpointRequest, call: Call) -> registry.GetEndpointResponse:
        return registry.GetEndpointResponse(endpoint=resources.Endpoint(name=request.name))

    async def ListEndpoints(self, request: registry.ListEndpointsRequest, call: Call) -> registry.ListEndpointsResponse:
        return registry.ListEndpointsResponse(endpoints=[resources.Endpoint(name="late")])

    async def DeleteEndpoint(
        self, request: registry.DeleteEndpointRequest, call: Call
    ) -> registry.DeleteEndpointResponse:
        raise NotFound(f"no endpoint {request.name}")

    async def StartRollout(self, request: registry.StartRolloutRequest, call: Call) -> registry.StartRolloutResponse:
        """Fails twice for each key; the rollout is what was asked for, and its step the attempt."""
        rollout = resources.Rollout(
            id=request.request_id,
            candidate_version=request.version,
            plan=request.plan,
            state=resources.ROLLOUT_STATE_RUNNING,
            step=self._attempts.fail_twice(request.request_id),
        )
        if request.HasField("start_event_time"):
            rollout.start_event_time.CopyFrom(request.start_event_time)
        return registry.StartRolloutResponse(endpoint=resources.Endpoint(name=request.endpoint, rollout=rollout))

    async def CancelRollout(self, request: registry.CancelRolloutRequest, call: Call) -> registry.CancelRolloutResponse:
        rollout = resources.Rollout(
            id=request.rollout_id, reason=request.reason, state=resources.ROLLOUT_STATE_ROLLED_BACK
        )
        return registry.CancelRolloutResponse(endpoint=resources.Endpoint(name=request.endpoint, rollout=rollout))

    async def ListRollouts(self, request: registry.ListRolloutsRequest, call: Call) -> registry.ListRolloutsResponse:
        """Three rollouts, two a page."""
        ids = ("3", "2") if not request.page_token else ("1",)
        rollouts = [resources.Rollout(id=number) for number in ids]
        return registry.ListRolloutsResponse(rollouts=rollouts, next_page_token="" if request.page_token else "more")

    async def RollBackEndpoint(
        self, request: registry.RollBackEndpointRequest, call: Call
    ) -> registry.RollBackEndpointResponse:
        """Fails twice for each reason."""
        self._attempts.fail_twice(request.reason)
        route = resources.Route(name="main", resolved_version=request.from_version)
        endpoint = resources.Endpoint(name=request.endpoint, routes=[route], revision=request.to_revision)
        return registry.RollBackEndpointResponse(endpoint=endpoint)

    async def ListEndpointRevisions(
        self, request: registry.ListEndpointRevisionsRequest, call: Call
    ) -> registry.ListEndpointRevisionsResponse:
        """Three revisions, two a page."""
        numbers = (3, 2) if not request.page_token else (1,)
        revisions = [
            resources.EndpointRevision(
                endpoint=resources.Endpoint(name=request.endpoint, revision=number),
                cause=resources.REVISION_CAUSE_ROLLOUT,
                reason="why",
                rollout_id="r1",
            )
            for number in numbers
        ]
        token = "" if request.page_token else "more"
        return registry.ListEndpointRevisionsResponse(revisions=revisions, next_page_token=token)

    async def WatchEndpoints(
        self, request: registry.WatchEndpointsRequest, call: Call
    ) -> AsyncIterator[registry.WatchEndpointsResponse]:
        """brief: a snapshot and a change, then the end; anyone else: a snapshot and silence."""
        yield registry.WatchEndpointsResponse(revision=1, snapshot=True, endpoints=[resources.Endpoint(name="late")])
        if request.subscriber != "brief":
            await asyncio.Event().wait()
        yield registry.WatchEndpointsResponse(revision=2, deleted=["late"])
