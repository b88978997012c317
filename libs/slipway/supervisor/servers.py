"""The servers of the stack profile: which are ours, which somebody else runs, and what to call them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from slipway.config import without_password
from slipway.errors import InvalidInput, Unavailable, invalid_field
from slipway.supervisor import lock
from slipway.supervisor.fleet import BROKERS
from slipway.supervisor.health import Probe, kafka_answers, postgres_answers
from slipway.supervisor.options import Options
from slipway.supervisor.ports import Ports
from slipway.supervisor.postgres import postgres_url
from slipway.supervisor.state import read_state
from slipway.supervisor.variables import VARIABLES


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses by server: ``host:port,...`` of Kafka, URLs of PostgreSQL and Redis.

    ``elsewhere``: of those that somebody else runs, who named each.
    """

    addresses: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def exports(self) -> dict[str, str]:
        """Variable to value, as other processes are to find them in their environment."""
        return {VARIABLES[name]: self.addresses[name] for name in VARIABLES if name in self.addresses}

    def joined(self, options: Options, ports: Ports) -> Servers:
        """These and our own, which are to run on ``ports``; PostgreSQL's folder must be there."""
        own: dict[str, str] = {}
        if brokers := [ports[name]["tcp"] for name in BROKERS if name in ports]:
            own["kafka"] = ",".join(f"127.0.0.1:{port}" for port in brokers)
        if "postgres" in ports:
            own["postgres"] = postgres_url(options.stack_root / "postgres", ports["postgres"]["tcp"])
        if "redis" in ports:
            own["redis"] = f"redis://127.0.0.1:{ports['redis']['tcp']}/0"
        return Servers({**self.addresses, **own}, self.elsewhere)


def found(options: Options, environ: Mapping[str, str]) -> Servers:
    """The servers that run already: those that the environment names, else those of the stack on this data root.

    Raises InvalidInput or Unavailable, naming the variable, when one is misspelt or does not answer.
    """
    if options.profile != "stack":
        return Servers()
    addresses: dict[str, str] = {}
    elsewhere: dict[str, str] = {}
    for source, variables in (("the environment", environ), *_running(options)):
        for name, variable in VARIABLES.items():
            value = variables.get(variable)
            if value and name not in addresses and name not in options.without:
                addresses[name], elsewhere[name] = value, source
    asyncio.run(_all_answer(addresses, elsewhere))
    return Servers(addresses, elsewhere)


def _running(options: Options) -> list[tuple[str, Mapping[str, str]]]:
    root = options.stack_root
    if root == options.data or lock.holder(root) is None:
        return []
    state = read_state(root)
    return [(f"the stack on {root}", state.servers)] if state and state.supervisor and state.supervisor.ready else []


async def _all_answer(addresses: Mapping[str, str], elsewhere: Mapping[str, str]) -> None:
    for name, address in addresses.items():
        if wrong := await _probe(name, address)():
            told = f"{VARIABLES[name]} of {elsewhere[name]} is {without_password(address)}: {wrong}"
            raise Unavailable(f"{told}; start that server, or unset {VARIABLES[name]} to have one started")


def _probe(name: str, address: str) -> Probe:
    variable = VARIABLES[name]
    if name == "kafka":
        brokers = [one.strip() for one in address.split(",")]
        for one in brokers:
            _require_port(variable, f"kafka://{one}", "write host:port[,host:port]")
        return _any([kafka_answers(one) for one in brokers])
    if name == "postgres":
        if urlsplit(address).scheme not in ("postgresql", "postgres"):
            raise invalid_field(variable, "must be a URL such as postgresql://user@host:port/postgres")
        return postgres_answers(address)
    if urlsplit(address).scheme not in ("redis", "rediss"):
        raise _misspelt(variable, "write redis://host:port/0")
    _require_port(variable, address, "write redis://host:port/0")
    return _redis_url_answers(address)


def _any(probes: Sequence[Probe]) -> Probe:
    async def probe() -> str | None:
        wrong = [await one() for one in probes]
        return None if None in wrong else wrong[0]

    return probe


def _redis_url_answers(url: str) -> Probe:
    """As ``redis_answers``, of a server that may ask for a password, or for TLS."""

    async def probe() -> str | None:
        from redis.asyncio import Redis, RedisError  # noqa: PLC0415  (of use to a named server alone)

        async with Redis.from_url(url, socket_timeout=5.0, socket_connect_timeout=5.0) as client:
            try:
                await client.execute_command("PING")  # type: ignore[no-untyped-call]
            except RedisError as error:
                return f"Redis does not answer PING ({type(error).__name__})"
        return None

    return probe


def _require_port(variable: str, url: str, mend: str) -> None:
    try:
        if urlsplit(url).hostname and urlsplit(url).port:
            return
    except ValueError as error:
        raise _misspelt(variable, mend) from error
    raise _misspelt(variable, mend)


def _misspelt(variable: str, mend: str) -> InvalidInput:
    return invalid_field(variable, f"names no host and port; {mend}")
