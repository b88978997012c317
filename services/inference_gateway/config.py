"""The gateway's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from slipway.config import DataFolder, EventsUrl, LoopbackAddress, Settings, data_root, from_env
from slipway.observe import ObserveSettings
from slipway.rpc.settings import RpcSettings


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


class WorkerConfig(Settings):
    """How models are run."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    per_version: int = Field(1, ge=1, le=256)
    intra_op_threads: int = Field(1, ge=0, le=256)
    run_timeout_s: float = Field(10.0, gt=0)
    load_timeout_s: float = Field(60.0, gt=0)
    memory_limit_bytes: int = Field(0, ge=0)
    queue_limit: int = Field(256, ge=1)
    drain_s: float = Field(10.0, ge=0)
    quarantine_deaths: int = Field(10, ge=1, le=10_000)
    quarantine_window_s: float = Field(300.0, gt=0)


class BatchConfig(Settings):
    """How requests wait for a version, and how many rows its worker is given at once."""

    max_rows: int = Field(1024, ge=1, le=65_536)
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


class GatewayConfig(Settings):
    """What ``slipway-gateway serve`` runs by."""

    rpc: Rpc = Rpc()
    http: Http = Http()
    observe: Observe = Observe()
    worker: WorkerConfig = WorkerConfig()
    batch: BatchConfig = BatchConfig()
    spool: SpoolConfig = SpoolConfig()
    guardrail: GuardrailConfig = GuardrailConfig()
    data: DataFolder = from_env("SLIPWAY_DATA", factory=data_root)
    events_url: EventsUrl = from_env("SLIPWAY_EVENTS", "")
    registry: str = from_env("SLIPWAY_REGISTRY_ADDRESS", "127.0.0.1:50051")
    features_address: str = from_env("SLIPWAY_FEATURE_SERVING_ADDRESS", "127.0.0.1:50052")
    feature_timeout_s: float = Field(2.0, gt=0)
    shadow_queue_limit: int = Field(256, ge=1)
    max_artifact_bytes: int = Field(2 * 1024**3, ge=1)
    remembered_predictions: int = Field(100_000, ge=0)
    ready_patience_s: float = Field(10.0, ge=0)

    @property
    def events(self) -> str:
        """The event log's URL."""
        return self.events_url or f"sqlite:///{self.data}/events/log.db"

    @property
    def folder(self) -> Path:
        """Where the gateway keeps its spool, artifacts and snapshot."""
        return self.data / "inference_gateway"
