"""The scheduler's configuration."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from slipway.config import (
    DatabaseUrl,
    DataFolder,
    EventsUrl,
    LoopbackAddress,
    Settings,
    checkout_root,
    data_root,
    from_env,
)
from slipway.observe import ObserveSettings
from slipway.rpc.settings import RpcSettings


class Rpc(RpcSettings):
    """Where the scheduler answers."""

    listen: LoopbackAddress = from_env("SLIPWAY_TRAINING_SCHEDULER_GRPC_LISTEN", "127.0.0.1:50053")


class Observe(ObserveSettings):
    """How the scheduler is seen."""

    metrics_listen: LoopbackAddress = from_env("SLIPWAY_TRAINING_SCHEDULER_METRICS_LISTEN", "127.0.0.1:9103")


class TrainingConfig(Settings):
    """What ``slipway-training serve`` runs by.

    ``workflow_modules`` are imported at the start, with the folders of ``workflow_path`` on the import path;
    relative folders start from the checkout's root, or from the working folder where there is no checkout.
    """

    rpc: Rpc = Rpc()
    observe: Observe = Observe()
    data: DataFolder = from_env("SLIPWAY_DATA", factory=data_root)
    database_url: DatabaseUrl = from_env("SLIPWAY_TRAINING_SCHEDULER_DATABASE", "")
    events_url: EventsUrl = from_env("SLIPWAY_EVENTS", "")
    workflow_modules: tuple[str, ...] = ()
    workflow_path: tuple[Path, ...] = (Path(),)
    max_running_runs: int = Field(1, ge=1, le=64)
    max_running_steps: int = Field(2, ge=1, le=64)
    max_attempts: int = Field(3, ge=1, le=100)
    retry_wait_s: float = Field(1.0, ge=0, le=60)
    stop_grace_s: float = Field(5.0, ge=0, le=600)
    max_output_bytes: int = Field(2 * 1024**3, ge=1)
    inbox_days: int = Field(30, ge=1, le=3650)

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.home}/training.db"

    @property
    def events(self) -> str:
        """The event log's URL."""
        return self.events_url or f"sqlite:///{self.data}/events/log.db"

    @property
    def home(self) -> Path:
        """The scheduler's own folder."""
        return self.data / "training_scheduler"

    @property
    def artifacts(self) -> Path:
        """The folder of the steps' outputs."""
        return self.home / "artifacts"

    @property
    def logs(self) -> Path:
        """The folder of what steps printed and logged."""
        return self.home / "logs"

    @property
    def import_folders(self) -> list[Path]:
        """``workflow_path`` made absolute."""
        root = checkout_root() or Path.cwd()
        return [(root / folder.expanduser()).resolve() for folder in self.workflow_path]
