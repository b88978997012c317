"""The services of the embedded profile, as data: names, commands, ports, the order of stopping."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from slipway.config import ConfigError, Settings
from slipway.supervisor.policy import Rules


class Service(Settings):
    """One service.

    ``command``: its operator's command, to which ``serve`` is added; found beside the running
    interpreter, else on PATH. ``ports``: kind to default port. ``tables``: whether it migrates first.
    """

    name: str
    command: tuple[str, ...] = Field(min_length=1)
    ports: dict[str, int]
    tables: bool = True

    @property
    def variable(self) -> str:
        """The prefix of its environment variables."""
        return f"SLIPWAY_{self.name.upper()}"


class Fleet(Settings):
    """The services in the order that ``status`` lists them, and in the order that ``down`` stops them.

    What faces callers stops first; what others write to or read from stops last.
    """

    services: tuple[Service, ...]
    stop_order: tuple[str, ...] = ()
    rules: Rules = Rules()
    grace_s: float = 30.0

    @classmethod
    def read(cls, file: Path) -> Fleet:
        """A fleet from a TOML file. Raises :class:`slipway.config.ConfigError`."""
        try:
            return cls.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
            raise ConfigError(f"--fleet: can't use {file}: {error}") from error


BACKING_PORTS: dict[str, dict[str, int]] = {
    "kafka": {"tcp": 0, "controller": 0},
    "kafka-2": {"tcp": 0, "controller": 0},
    "kafka-3": {"tcp": 0, "controller": 0},
    "postgres": {"tcp": 0},
    "redis": {"tcp": 0},
    "ray": {"gcs": 0, "dashboard": 0, "agent": 0},
}
"""The backing processes and the kinds of their ports; 0: a free one, for they are private to Slipway."""

BROKERS = ("kafka", "kafka-2", "kafka-3")
"""Of these the stack profile runs the first, or all three."""

Profile = Literal["embedded", "stack"]

PROFILES: dict[Profile, tuple[str, ...]] = {
    "embedded": ("redis", "ray"),
    "stack": (*BROKERS, "postgres", "redis", "ray"),
}
"""What backs the services in each profile, at most."""

FLEET = Fleet(
    services=(
        Service(name="registry", command=("slipway-registry",), ports={"grpc": 50051, "metrics": 9101}),
        Service(name="feature_serving", command=("slipway-features",), ports={"grpc": 50052, "metrics": 9102}),
        Service(name="training_scheduler", command=("slipway-training",), ports={"grpc": 50053, "metrics": 9103}),
        Service(
            name="inference_gateway",
            command=("slipway-gateway",),
            ports={"grpc": 8001, "http": 8000, "metrics": 8002},
            tables=False,
        ),
        Service(name="monitor", command=("slipway-monitor",), ports={"grpc": 50054, "metrics": 9104}),
    ),
    stop_order=(
        "inference_gateway",
        "monitor",
        "training_scheduler",
        "feature_serving",
        "registry",
        "ray",
        "redis",
        *BROKERS,
        "postgres",
    ),
)
