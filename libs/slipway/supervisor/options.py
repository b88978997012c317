"""What ``slipway up`` was asked to do, and the parsing of its ``--port``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field

from slipway.config import Settings
from slipway.errors import invalid_field
from slipway.supervisor.fleet import BACKING_PORTS, BROKERS, FLEET, PROFILES, Fleet, Profile


class Options(Settings):
    """The options of one ``up``, as they travel to the detached supervisor.

    ``ports``: ``SERVICE.KIND`` to port, 0 for a free one; ``config_dir``: None for the checkout's own, if any.
    ``fast``: databases don't wait for the disk. ``brokers``: of Kafka, in the stack profile.
    """

    data: Path
    ports: dict[str, int] = Field(default_factory=dict)
    free_ports: bool = False
    config_dir: Path | None = None
    without: frozenset[str] = frozenset()
    timeout_s: float = 120.0
    profile: Profile = "embedded"
    fast: bool = False
    brokers: int = 1
    fleet: Fleet = FLEET

    def defaults(self) -> dict[str, dict[str, int]]:
        """Unit to kind to default port, of everything that is to run."""
        more = BROKERS[self.brokers :]
        names = [one for one in PROFILES[self.profile] if one not in more and one.partition("-")[0] not in self.without]
        backing = {name: BACKING_PORTS[name] for name in names}
        return {**{one.name: dict(one.ports) for one in self.fleet.services}, **backing}

    @property
    def command(self) -> str:
        """What a person calls it by."""
        return "slipway" if self.fleet.services else "scripts/stack"

    @property
    def stack_root(self) -> Path:
        """Where Kafka, PostgreSQL and Redis of the stack profile keep what they have."""
        return self.data / "stack" if self.fleet.services else self.data


def parse_ports(texts: Iterable[str], fleet: Fleet = FLEET) -> dict[str, int]:
    """Read ``SERVICE.KIND=N`` options. Raises :class:`slipway.errors.InvalidInput` naming ``--port``."""
    known = {one.name: dict(one.ports) for one in fleet.services} | BACKING_PORTS
    ports: dict[str, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        service, _, kind = name.partition(".")
        if kind not in known.get(service, {}):
            choices = ", ".join(f"{one}.{each}" for one, kinds in known.items() for each in kinds)
            raise invalid_field("--port", f"{text!r} names no port; write SERVICE.KIND=N with one of {choices}")
        if name in ports:
            raise invalid_field("--port", f"{name} is given twice; give it once")
        ports[name] = _number(text, number)
    return ports


def _number(text: str, number: str) -> int:
    if ":" in number:
        raise invalid_field(
            "--port",
            f"{text!r} names a host; give the port alone: until Slipway has authorisation "
            "it listens on loopback (127.0.0.1) only",
        )
    if not (number.isascii() and number.isdigit()) or int(number) > 65535:
        raise invalid_field("--port", f"{text!r} needs a number from 1 to 65535, or 0 for a free port")
    return int(number)
