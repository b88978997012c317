"""The scheduler's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

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

_MOST_PORT = 65535


class Rpc(RpcSettings):
    """Where the scheduler answers."""

    listen: LoopbackAddress = from_env("SLIPWAY_TRAINING_SCHEDULER_GRPC_LISTEN", "127.0.0.1:50053")


class Observe(ObserveSettings):
    """How the scheduler is seen."""

    metrics_listen: LoopbackAddress = from_env("SLIPWAY_TRAINING_SCHEDULER_METRICS_LISTEN", "127.0.0.1:9103")


class Ray(Settings):
    """The cluster that steps run on.

    ``threads_per_step`` bounds OpenMP's threads in a step's process; 0 leaves them to each library. Two schedulers
    on one cluster need a ``namespace`` each: each ends actors there that it does not know.
    """

    address: str = from_env("SLIPWAY_RAY_ADDRESS", "")
    namespace: str = Field("slipway", pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    cpus_per_step: float = Field(1.0, ge=0, le=1024)
    threads_per_step: int = Field(0, ge=0, le=1024)

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if address and not (host and port.isascii() and port.isdigit() and 0 < int(port) <= _MOST_PORT):
            raise ValueError(f"is {address!r}; give host:port of the Ray head, such as 127.0.0.1:6379")
        return address


class TrainingConfig(Settings):
    """What ``slipway-training serve`` runs by.

    ``workflow_modules`` are imported at the start, with the folders of ``workflow_path`` on the import path;
    relative folders start from the checkout's root, or from the working folder where there is no checkout.
    ``executor`` "auto" is Ray where an address of it is known, else threads of this process.
    """

    rpc: Rpc = Rpc()
    observe: Observe = Observe()
    data: DataFolder = from_env("SLIPWAY_DATA", factory=data_root)
    database_url: DatabaseUrl = from_env("SLIPWAY_TRAINING_SCHEDULER_DATABASE", "")
    events_url: EventsUrl = from_env("SLIPWAY_EVENTS", "")
    executor: Literal["auto", "threads", "ray"] = "auto"
    ray: Ray = Ray()
    workflow_modules: tuple[str, ...] = ()
    workflow_path: tuple[Path, ...] = (Path(),)
    max_running_runs: int = Field(2, ge=1, le=64)
    max_running_steps: int = Field(2, ge=1, le=64)
    max_attempts: int = Field(3, ge=1, le=100)
    retry_wait_s: float = Field(1.0, ge=0, le=60)
    stop_grace_s: float = Field(5.0, ge=0, le=600)
    max_output_bytes: int = Field(2 * 1024**3, ge=1)
    inbox_days: int = Field(30, ge=1, le=3650)

    @model_validator(mode="after")
    def _ray_is_somewhere(self) -> Self:
        if self.executor == "ray" and not self.ray.address:
            raise ValueError("executor is ray, but ray.address is empty; give it, or set SLIPWAY_RAY_ADDRESS")
        return self

    @property
    def on_ray(self) -> bool:
        """Whether steps run on Ray."""
        return self.executor == "ray" or (self.executor == "auto" and bool(self.ray.address))

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
