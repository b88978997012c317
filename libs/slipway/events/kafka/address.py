"""Where a Kafka log is and how it is used: the parts of its URL. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from urllib.parse import parse_qsl

from slipway.errors import InvalidInput, invalid_field

_EXAMPLE = "write kafka://host:9092,host:9092?partitions=2"
_BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_NAME = re.compile(r"[A-Za-z0-9._-]{0,100}")


@dataclass(frozen=True, slots=True)
class Address:
    """A cluster, and how we use it.

    ``partitions`` and ``replication`` are those of topics that are made here; 0 copies means three, or as many as
    there are brokers, and those that are named here are there. ``prefix`` stands before the names of topics and groups
    on the brokers, so that several platforms share a cluster. ``member`` is the name under which a process joins its
    groups: who joins under a name takes over from whoever had it, at once. Empty, every process is a member of its own.
    A member that says nothing for ``session_s`` seconds has lost its partitions; ``timeout_s`` bounds every call.
    """

    bootstrap: str
    partitions: int = 2
    replication: int = 0
    prefix: str = ""
    member: str = "0"
    session_s: float = 10.0
    timeout_s: float = 15.0

    @property
    def brokers(self) -> int:
        """How many brokers the address names; there may be more."""
        return len(set(self.bootstrap.split(",")))


def parse(url: str) -> Address:
    """The parts of ``kafka://host:port[,host:port][?name=value&...]``. Raises InvalidInput about ``events.url``."""
    _, _, place = url.partition("://")
    brokers, _, options = place.partition("?")
    brokers = brokers.removesuffix("/")
    if "@" in brokers:
        raise _wrong("has a login, which this version can't use; name brokers that need none")
    for broker in brokers.split(","):
        found = _BROKER.fullmatch(broker)
        if found is None or not 0 < int(found[2]) < 65536:
            raise _wrong(f"needs host:port of at least one broker, divided by commas; {_EXAMPLE}")
    given: dict[str, object] = {}
    for name, text in parse_qsl(options, keep_blank_values=True):
        if name not in _OPTIONS or name in given:
            raise _wrong(f"has an option that is unknown or there twice; the options are {', '.join(_OPTIONS)}")
        given[name] = _value(name, text)
    return Address(brokers, **given)  # type: ignore[arg-type]


def _value(name: str, text: str) -> object:
    if name in {"prefix", "member"}:
        if not _NAME.fullmatch(text):
            raise _wrong(f"{name} may have 100 of letters, digits, dot, dash and underscore")
        return text
    whole = name in {"partitions", "replication"}
    least, most = _BOUNDS[name]
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        number = -1
    if not least <= number <= most:
        raise _wrong(f"{name} must be a {'whole ' if whole else ''}number from {least} to {most}")
    return number


def _wrong(description: str) -> InvalidInput:
    return invalid_field("events.url", description)


_OPTIONS = tuple(one.name for one in fields(Address) if one.name != "bootstrap")
_BOUNDS = {"partitions": (1, 1000), "replication": (0, 10), "session_s": (1, 300), "timeout_s": (0.5, 300)}
