"""The registry's configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from slipway.config import DatabaseUrl, DataFolder, EventsUrl, LoopbackAddress, Settings, data_root, from_env
from slipway.observe import ObserveSettings
from slipway.rpc.settings import RpcSettings


class Rpc(RpcSettings):
    """Where the registry answers."""

    listen: LoopbackAddress = from_env("SLIPWAY_REGISTRY_GRPC_LISTEN", "127.0.0.1:50051")


class Observe(ObserveSettings):
    """How the registry is seen."""

    metrics_listen: LoopbackAddress = from_env("SLIPWAY_REGISTRY_METRICS_LISTEN", "127.0.0.1:9101")


class RegistryConfig(Settings):
    """What ``slipway-registry serve`` runs by."""

    rpc: Rpc = Rpc()
    observe: Observe = Observe()
    data: DataFolder = from_env("SLIPWAY_DATA", factory=data_root)
    database_url: DatabaseUrl = from_env("SLIPWAY_REGISTRY_DATABASE", "")
    events_url: EventsUrl = from_env("SLIPWAY_EVENTS", "")
    max_artifact_bytes: int = Field(2 * 1024**3, ge=1)
    inbox_days: int = Field(30, ge=1, le=3650)

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data}/registry/registry.db"

    @property
    def events(self) -> str:
        """The event log's URL."""
        return self.events_url or f"sqlite:///{self.data}/events/log.db"

    @property
    def artifacts(self) -> Path:
        """The folder of the artifact store."""
        return self.data / "registry" / "artifacts"
