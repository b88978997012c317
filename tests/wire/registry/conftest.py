"""The real registry (SQLite, artifacts on disk, event log) behind a loopback channel."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from services.registry.adapters.sql import MIGRATIONS
from services.registry.config import Observe, RegistryConfig, Rpc
from services.registry.main import compose
from slipway import lifecycle, sql
from slipway.events import Record
from slipway.events.connect import open_log
from slipway.gen.slipway.registry.v1 import registry_pb2 as pb
from slipway.gen.slipway.registry.v1 import resources_pb2 as res
from slipway.rpc import status
from slipway.rpc.server import Server

PATIENCE_S = 30.0
SERVICE = pb.DESCRIPTOR.services_by_name["RegistryService"]


@dataclass
class Wire:
    """A running registry and a channel to it."""

    config: RegistryConfig
    server: Server
    channel: Any

    async def send(self, method: str, data: bytes, service: str = SERVICE.full_name) -> bytes:
        """One answer to one message's bytes; raises SlipwayError."""
        try:
            return bytes(await self.channel.unary_unary(f"/{service}/{method}")(data, timeout=PATIENCE_S))
        except grpc.aio.AioRpcError as error:
            raise told(error) from None

    async def call(self, method: str, request: Message) -> Any:
        """One typed answer."""
        answer = GetMessageClass(SERVICE.methods_by_name[method].output_type)
        return answer.FromString(await self.send(method, request.SerializeToString()))

    async def upload(self, *pieces: pb.UploadArtifactRequest | bytes) -> pb.UploadArtifactResponse:
        """Send pieces, typed or junk, as one upload."""
        data = [piece if isinstance(piece, bytes) else piece.SerializeToString() for piece in pieces]
        try:
            call = self.channel.stream_unary(f"/{SERVICE.full_name}/UploadArtifact")(iter(data), timeout=PATIENCE_S)
            return pb.UploadArtifactResponse.FromString(await call)
        except grpc.aio.AioRpcError as error:
            raise told(error) from None

    async def stream(self, method: str, data: bytes = b"") -> AsyncIterator[Any]:
        """Every typed answer of a stream; raises SlipwayError when it ends badly."""
        answer = GetMessageClass(SERVICE.methods_by_name[method].output_type)
        call = self.channel.unary_stream(f"/{SERVICE.full_name}/{method}")(data, timeout=PATIENCE_S)
        try:
            async for piece in call:
                yield answer.FromString(piece)
        except grpc.aio.AioRpcError as error:
            raise told(error) from None
        finally:
            call.cancel()

    async def artifact(self, data: bytes = b"onnx") -> res.Artifact:
        """Store bytes."""
        return (await self.upload(pb.UploadArtifactRequest(chunk=data))).artifact

    async def versions(self, model: str, count: int = 1) -> list[res.ModelVersion]:
        """A model with versions."""
        await self.call("CreateModel", pb.CreateModelRequest(model=res.Model(name=model, owner="dock")))
        artifact = await self.artifact()
        return [
            (
                await self.call(
                    "CreateModelVersion",
                    pb.CreateModelVersionRequest(request_id=f"{model}-{n}", version=draft(model, artifact.digest)),
                )
            ).version
            for n in range(count)
        ]

    async def events(self, topic: str, count: int) -> list[Record]:
        """The topic's records, once there are ``count`` of them, and however many more there are."""
        async with open_log(self.config.events) as log, log.consumer([topic], "test") as consumer:
            records: list[Record] = []
            while len(records) < count:
                some = await consumer.poll(100, PATIENCE_S)
                assert some, f"only {len(records)} of {count} events on {topic}"
                records += some
            return [*records, *await consumer.poll(100, 0)]


def told(error: grpc.aio.AioRpcError) -> Exception:
    pairs: Any = error.trailing_metadata() or ()
    return status.decode(error.code(), error.details() or "", tuple(pairs))


def draft(model: str, digest: str, /, **changes: Any) -> res.ModelVersion:
    """A version that the registry takes."""
    given: dict[str, Any] = {
        "model": model,
        "artifact": res.Artifact(digest=digest),
        "signature": res.Signature(
            inputs=[res.ColumnSpec(name="distance", datatype=res.DATA_TYPE_FP32, nullable=True, description="miles")],
            outputs=[res.TensorSpec(name="late", datatype=res.DATA_TYPE_FP32, shape=[-1, 1])],
        ),
        "metrics": {"auc": 0.75},
        "params": {"num_leaves": "31"},
        "lineage": res.Lineage(
            data=res.DataReference(digest="sha256:" + "d" * 64, source="flights", row_count=10),
            code=res.CodeReference(digest="sha256:" + "c" * 64, revision="abc", workflow="flights-delay"),
            run_id="run-1",
        ),
    }
    return res.ModelVersion(**{**given, **changes})


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def configured(folder: Path, **changes: Any) -> RegistryConfig:
    return RegistryConfig(
        rpc=Rpc(listen="127.0.0.1:0", grace_s=5.0),
        observe=Observe(metrics_listen="127.0.0.1:0"),
        data=folder,
        database_url=f"sqlite:///{folder}/registry/registry.db",
        events_url=f"sqlite:///{folder}/events/log.db",
        **changes,
    )


@asynccontextmanager
async def serving(config: RegistryConfig) -> AsyncIterator[Wire]:
    sql.migrate(config.database, MIGRATIONS)
    async with (
        compose(config) as parts,
        lifecycle.running(*parts),
        grpc.aio.insecure_channel(f"127.0.0.1:{parts.server.port}") as channel,
    ):
        yield Wire(config, parts.server, channel)


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    async with serving(configured(tmp_path)) as wire:
        yield wire


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Wire]:
    """A registry that keeps artifacts up to 1,000 bytes."""
    async with serving(configured(tmp_path, max_artifact_bytes=1000)) as wire:
        yield wire


@pytest.fixture
def drafted() -> Any:
    return draft


@pytest.fixture
def digest_of() -> Any:
    return digest
