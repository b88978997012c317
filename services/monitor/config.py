"""The monitor's configuration."""

from __future__ import annotations

from pydantic import Field

from slipway.config import DatabaseUrl, DataFolder, EventsUrl, LoopbackAddress, Settings, data_root, from_env
from slipway.observe import ObserveSettings
from slipway.rpc.settings import RpcSettings


class Rpc(RpcSettings):
    """Where the monitor answers."""

    listen: LoopbackAddress = from_env("SLIPWAY_MONITOR_GRPC_LISTEN", "127.0.0.1:50054")


class Observe(ObserveSettings):
    """How the monitor is seen."""

    metrics_listen: LoopbackAddress = from_env("SLIPWAY_MONITOR_METRICS_LISTEN", "127.0.0.1:9104")


class Judging(Settings):
    """What is harm, and what is drift; see Limits in domain/harm.py."""

    log_loss_floor: float = Field(0.02, gt=0, le=100)
    auc_floor: float = Field(0.02, gt=0, le=1)
    min_rows: int = Field(200, ge=1, le=1_000_000_000)
    drift_floor: float = Field(0.1, ge=0, le=1)
    min_importance: float = Field(0.01, ge=0, le=1)
    data_importance: float = Field(0.05, ge=0, le=1)
    data_null_rate: float = Field(0.2, gt=0, le=1)


class MonitorConfig(Settings):
    """What ``slipway-monitor serve`` runs by."""

    rpc: Rpc = Rpc()
    observe: Observe = Observe()
    data: DataFolder = from_env("SLIPWAY_DATA", factory=data_root)
    database_url: DatabaseUrl = from_env("SLIPWAY_MONITOR_DATABASE", "")
    events_url: EventsUrl = from_env("SLIPWAY_EVENTS", "")
    window_s: int = Field(3600, ge=1, le=31 * 86_400)
    performance_window_s: int = Field(7 * 86_400, ge=60, le=92 * 86_400)
    label_maturity_s: float = Field(86_400, ge=0, le=366 * 86_400)
    judging: Judging = Judging()
    join_days: int = Field(30, ge=1, le=3650)
    inbox_days: int = Field(30, ge=1, le=3650)

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data}/monitor/monitor.db"

    @property
    def events(self) -> str:
        """The event log's URL."""
        return self.events_url or f"sqlite:///{self.data}/events/log.db"
