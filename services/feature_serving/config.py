"""Feature serving's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from slipway.config import (
    ConfigError,
    DatabaseUrl,
    DataFolder,
    EventsUrl,
    LoopbackAddress,
    Settings,
    data_root,
    from_env,
)
from slipway.observe import ObserveSettings
from slipway.rpc.settings import RpcSettings

_SCHEMES = {"redis", "rediss", "unix"}


def _redis(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and bool(parts.path if parts.scheme == "unix" else parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("is no Redis address; write redis://127.0.0.1:6379/0")
    database = parts.path.strip("/")
    if parts.scheme != "unix" and database and not (database.isascii() and database.isdigit()):
        raise ValueError("ends in no database number; write redis://127.0.0.1:6379/0")
    if parts.password is not None:
        raise ValueError("holds a password, which configuration shows; put it in a file and name redis_password_file")
    return url


RedisUrl = Annotated[str, AfterValidator(_redis)]
"""``redis://host:port/database``, ``rediss://`` with TLS or ``unix://path``; without a password."""


class Rpc(RpcSettings):
    """Where feature serving answers."""

    listen: LoopbackAddress = from_env("SLIPWAY_FEATURE_SERVING_GRPC_LISTEN", "127.0.0.1:50052")


class Observe(ObserveSettings):
    """How feature serving is seen."""

    metrics_listen: LoopbackAddress = from_env("SLIPWAY_FEATURE_SERVING_METRICS_LISTEN", "127.0.0.1:9102")


class TrainingSetsConfig(Settings):
    """How training sets are made, in a process of their own; ``sources`` empty: a folder under ``data``."""

    sources: str = ""
    threads: int = Field(1, ge=1, le=256)
    memory_mib: int = Field(1024, ge=64)
    max_spine_bytes: int = Field(1024**3, ge=1)


class FeatureServingConfig(Settings):
    """What ``slipway-features serve`` runs by."""

    rpc: Rpc = Rpc()
    observe: Observe = Observe()
    training_sets: TrainingSetsConfig = TrainingSetsConfig()
    data: DataFolder = from_env("SLIPWAY_DATA", factory=data_root)
    database_url: DatabaseUrl = from_env("SLIPWAY_FEATURE_SERVING_DATABASE", "")
    redis_url: RedisUrl = from_env("SLIPWAY_REDIS", "redis://127.0.0.1:6379/0")
    redis_password_file: Path | None = from_env("SLIPWAY_REDIS_PASSWORD_FILE", None)
    project: str = Field("slipway", pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=128)
    events_url: EventsUrl = from_env("SLIPWAY_EVENTS", "")
    inbox_days: int = Field(30, ge=1, le=3650)

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data}/feature_serving/feature_serving.db"

    @property
    def events(self) -> str:
        """The event log's URL."""
        return self.events_url or f"sqlite:///{self.data}/events/log.db"

    @property
    def folder(self) -> Path:
        """Where spines and training sets are kept."""
        return self.data / "feature_serving"

    @property
    def sources(self) -> Path:
        """Where relative paths of sources start."""
        return Path(self.training_sets.sources) if self.training_sets.sources else self.folder / "sources"

    def redis_password(self) -> str | None:
        """The online store's password, None without one. Raises ConfigError when its file can't be read."""
        if self.redis_password_file is None:
            return None
        try:
            return self.redis_password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"redis_password_file: can't read {self.redis_password_file}; make it readable"
            ) from error
