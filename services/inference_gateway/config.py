"""The gateway's configuration."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from slipway.config import DataFolder, EventsUrl, LoopbackAddress, Settings, data_root, from_env
from slipway.errors import InvalidInput
from slipway.naming import resource_name
from slipway.observe import ObserveSettings
from slipway.rpc.settings import RpcSettings

_SHORTEST_TOKEN = 16


class Rpc(RpcSettings):
    """Where the gateway answers gRPC."""

    listen: LoopbackAddress = from_env("SLIPWAY_INFERENCE_GATEWAY_GRPC_LISTEN", "127.0.0.1:8001")


class Observe(ObserveSettings):
    """How the gateway is seen."""

    metrics_listen: LoopbackAddress = from_env("SLIPWAY_INFERENCE_GATEWAY_METRICS_LISTEN", "127.0.0.1:8002")


class Http(Settings):
    """Where the gateway answers REST."""

    listen: LoopbackAddress = from_env("SLIPWAY_INFERENCE_GATEWAY_HTTP_LISTEN", "127.0.0.1:8000")
    max_body_bytes: int = Field(16 * 1024 * 1024, ge=1024)
    max_concurrent_calls: int = Field(4096, ge=1)
    max_pending_bytes: int = Field(256 * 1024 * 1024, ge=1024)


class ProfileConfig(Settings):
    """How ONNX Runtime is set up in a worker."""

    inter_op_threads: int = Field(1, ge=0, le=256)
    graph_optimization: Literal["all", "extended", "basic", "disabled"] = "all"
    arena: bool = True
    memory_pattern: bool = True
    spinning: bool = False
    io_binding: Literal["auto", "on", "off"] = "auto"
    cuda_memory_limit_bytes: int = Field(0, ge=0)
    arena_extend: Literal["next_power_of_two", "same_as_requested"] = "next_power_of_two"


class WorkerConfig(Settings):
    """How models are run."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    per_version: int = Field(1, ge=1, le=256)
    intra_op_threads: int = Field(1, ge=0, le=256)
    run_timeout_s: float = Field(10.0, gt=0)
    load_timeout_s: float = Field(60.0, gt=0)
    memory_limit_bytes: int = Field(0, ge=0)
    drain_s: float = Field(10.0, ge=0)
    quarantine_deaths: int = Field(10, ge=1, le=10_000)
    quarantine_window_s: float = Field(300.0, gt=0)
    memory_budget_bytes: int = Field(0, ge=0)
    growth_limit_bytes: int = Field(1024**3, ge=0)
    weigh_every_s: float = Field(10.0, gt=0)
    warm_rows: tuple[int, ...] = (1, 32, 256)
    profile: ProfileConfig = ProfileConfig()


class BatchConfig(Settings):
    """How requests wait for a version, and how many rows its worker is given at once."""

    max_rows: int = Field(1024, ge=1, le=65_536)
    gather_s: float = Field(0.012, ge=0, le=0.1)
    queue_requests: int = Field(4096, ge=1)
    queue_rows: int = Field(65_536, ge=1)
    queue_bytes: int = Field(256 * 1024**2, ge=1024)


class SpoolConfig(Settings):
    """How the prediction log is kept until the event bus has it."""

    segment_bytes: int = Field(16 * 1024 * 1024, ge=64 * 1024)
    limit_bytes: int = Field(1024**3, ge=64 * 1024)
    retain_bytes: int = Field(64 * 1024 * 1024, ge=0)
    sync: Literal["always", "interval"] = "interval"
    sync_interval_s: float = Field(1.0, gt=0)


class GuardrailConfig(Settings):
    """When an arm is taken to zero here, without waiting for the registry."""

    batches: int = Field(20, ge=1, le=10_000)
    error_share: float = Field(0.5, gt=0, lt=1)
    load_attempts: int = Field(3, ge=1)


Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$"), PlainSerializer(lambda digest: digest[:8] + "…")]
"""The SHA-256 of a token in hexadecimal; shown by its beginning."""


class TenantConfig(Settings):
    """Who a tenant is, and how much it may ask. 0 sets no limit; a burst of 0 is what a second allows."""

    token_sha256: tuple[Digest, ...] = ()
    token_file: Path | None = None
    weight: float = Field(1.0, gt=0, le=1000)
    rows_per_s: float = Field(0.0, ge=0)
    burst_rows: int = Field(0, ge=0)
    max_in_flight: int = Field(0, ge=0)
    operator: bool = False

    @model_validator(mode="after")
    def _has_tokens(self) -> Self:
        if not self.digests:
            raise ValueError("has no token; give token_sha256, or a token_file with a token a line")
        if self.burst_rows and not self.rows_per_s:
            raise ValueError("has burst_rows without rows_per_s; give both, or neither")
        return self

    @cached_property
    def digests(self) -> tuple[bytes, ...]:
        """SHA-256 of each of its tokens."""
        written = [bytes.fromhex(one) for one in self.token_sha256]
        return (*written, *(hashlib.sha256(token.encode()).digest() for token in self._file_tokens()))

    def _file_tokens(self) -> list[str]:
        if self.token_file is None:
            return []
        try:
            tokens = self.token_file.expanduser().read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not ASCII"
            raise ValueError(f"token_file {self.token_file} can't be read: {reason}") from None
        if any(len(token) < _SHORTEST_TOKEN for token in tokens):
            raise ValueError(f"token_file {self.token_file} has a token under {_SHORTEST_TOKEN} characters")
        return tokens


def _tenant_names(tenants: Mapping[str, TenantConfig]) -> Mapping[str, TenantConfig]:
    owners: dict[bytes, str] = {}
    for name, tenant in tenants.items():
        try:
            resource_name("name", name)
        except InvalidInput as error:
            raise ValueError(f"{name!r} is no tenant's {error.message}") from None
        for digest in tenant.digests:
            other = owners.setdefault(digest, name)
            if other != name:
                raise ValueError(f"{other} and {name} have a token in common; give each its own")
    return tenants


class RequestsConfig(Settings):
    """How requests that come by events are answered."""

    enabled: bool = True
    at_once: int = Field(64, ge=1, le=10_000)
    patience_s: float = Field(10.0, ge=0, le=120)
    tenant: str = ""


class GatewayConfig(Settings):
    """What ``slipway-gateway serve`` runs by."""

    rpc: Rpc = Rpc()
    http: Http = Http()
    observe: Observe = Observe()
    worker: WorkerConfig = WorkerConfig()
    batch: BatchConfig = BatchConfig()
    spool: SpoolConfig = SpoolConfig()
    guardrail: GuardrailConfig = GuardrailConfig()
    tenants: Annotated[Mapping[str, TenantConfig], AfterValidator(_tenant_names)] = Field(default_factory=dict)
    requests: RequestsConfig = RequestsConfig()
    data: DataFolder = from_env("SLIPWAY_DATA", factory=data_root)
    events_url: EventsUrl = from_env("SLIPWAY_EVENTS", "")
    registry: str = from_env("SLIPWAY_REGISTRY_ADDRESS", "127.0.0.1:50051")
    features_address: str = from_env("SLIPWAY_FEATURE_SERVING_ADDRESS", "127.0.0.1:50052")
    feature_timeout_s: float = Field(2.0, gt=0)
    shadow_queue_limit: int = Field(256, ge=1)
    max_artifact_bytes: int = Field(2 * 1024**3, ge=1)
    remembered_predictions: int = Field(100_000, ge=0)
    ready_patience_s: float = Field(10.0, ge=0)
    busy_poll_us: float = Field(500.0, ge=0, le=10_000)

    @model_validator(mode="after")
    def _names_a_tenant(self) -> Self:
        if self.requests.tenant and self.requests.tenant not in self.tenants:
            raise ValueError(f"requests.tenant names {self.requests.tenant!r}, which is none of tenants")
        return self

    @property
    def events(self) -> str:
        """The event log's URL."""
        return self.events_url or f"sqlite:///{self.data}/events/log.db"

    @property
    def folder(self) -> Path:
        """Where the gateway keeps its spool, artifacts and snapshot."""
        return self.data / "inference_gateway"
