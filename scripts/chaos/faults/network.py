"""Links that pass nothing for a while: a proxy between a service and what it calls."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from scripts.chaos.fault import Injection
from scripts.chaos.faults.plain import Plain
from scripts.chaos.load import Needs, Scene
from slipway.supervisor.ports import free_port
from slipway.supervisor.spec import UnitSpec
from slipway.tcp_proxy import TcpProxy

_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
_LASTS_S = (2.0, 8.0)
_EVENTS = "SLIPWAY_EVENTS"
_LISTENERS = """
# A second door, whose address is that of a proxy.
listeners={plain},PROXIED://{door},{controller}
advertised.listeners={plain},PROXIED://{proxy}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
"""


class Partition(Plain):
    """One link of the service's at a time passes nothing, in one direction or both; then it heals, or is reset."""

    name = "partition"

    def __init__(self) -> None:
        self._open = AsyncExitStack()
        self._proxies: dict[str, TcpProxy] = {}
        self._kafka: str | None = None
        self._needs: Needs | None = None

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        self._needs = needs
        if needs.links or profile == "stack":
            return None
        return "it calls nobody: in the embedded profile its tables and topics are files"

    @asynccontextmanager
    async def around(self, folder: Path) -> AsyncIterator[None]:
        """See Fault."""
        async with self._open:
            yield

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        """See Fault."""
        if unit.name == "kafka":
            return await self._with_second_door(unit)
        env = dict(unit.env)
        for variable in self._links(unit):
            if variable == _EVENTS:
                env[variable] = f"kafka://{self._kafka}"
                continue
            address = _ADDRESS.search(env[variable])
            if address is not None:
                proxy = await self._proxy(f"{unit.name} to {_told(variable)}", address[0])
                env[variable] = env[variable].replace(address[0], proxy.address, 1)
        return replace(unit, env=env)

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """See Fault."""
        link = dice.choice(sorted(self._proxies))
        proxy, lasts_s = self._proxies[link], dice.uniform(*_LASTS_S)
        directions, resets = dice.choice(((), ("up",), ("down",))), dice.random() < 0.5
        began_s = time.monotonic()
        proxy.partition(*directions)
        try:
            await asyncio.sleep(lasts_s)
            if resets:
                proxy.reset()
        finally:
            proxy.heal()
        facts = {"directions": list(directions), "reset": resets, "lasted_s": round(lasts_s, 2)}
        return Injection(began_s, f"partition of {link}", facts=facts)

    def _links(self, unit: UnitSpec) -> list[str]:
        """The variables with which the unit is told of what it calls over the network."""
        if self._needs is None or unit.name not in self._needs.victims:
            return []
        database = f"SLIPWAY_{unit.name.upper()}_DATABASE"
        schemes = {_EVENTS: "kafka://", database: "postgresql://"}
        found = [name for name, scheme in schemes.items() if unit.env.get(name, "").startswith(scheme)]
        return [*found, *(name for owner, name in sorted(self._needs.links) if owner == unit.name)]

    async def _proxy(self, link: str, to: str, listen: str = "127.0.0.1:0") -> TcpProxy:
        if link not in self._proxies:
            self._proxies[link] = await self._open.enter_async_context(TcpProxy.open(to, listen))
        return self._proxies[link]

    async def _with_second_door(self, unit: UnitSpec) -> UnitSpec:
        """Kafka tells its clients where to go on, so those behind the proxy need a listener of their own."""
        door = f"127.0.0.1:{free_port()}"
        proxy = await self._proxy("all services to kafka", door)
        self._kafka = proxy.address
        settings = Path(unit.command[-1])
        told = {
            "plain": f"PLAINTEXT://{unit.endpoints['tcp']}",
            "controller": f"CONTROLLER://{unit.endpoints['controller']}",
        }

        def prepare() -> None:
            unit.before()
            lines = settings.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [one for one in lines if not one.startswith(("listeners=", "advertised.listeners="))]
            amended = _LISTENERS.format(**told, door=door, proxy=proxy.address)
            settings.write_text("".join(kept) + amended, encoding="utf-8")

        return replace(unit, before=prepare)


def _told(variable: str) -> str:
    name = variable.removeprefix("SLIPWAY_").lower()
    return "its database" if name.endswith("_database") else name.removesuffix("_address")
