"""One platform for one cell: a supervisor's units in this process, on a folder of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from slipway.client import AsyncSlipway
from slipway.clock import SystemClock
from slipway.supervisor import lock, proc
from slipway.supervisor.crew import Crew
from slipway.supervisor.fleet import FLEET, Fleet, Profile
from slipway.supervisor.health import Probe, grpc_serves
from slipway.supervisor.options import Options
from slipway.supervisor.plan import Plan, make_plan
from slipway.supervisor.policy import Phase, Rules
from slipway.supervisor.ports import free_port
from slipway.supervisor.process import Child
from slipway.supervisor.report import UpFailed
from slipway.supervisor.spec import UnitSpec
from slipway.supervisor.state import SupervisorStatus, clear_state

Adapt = Callable[[UnitSpec], Awaitable[UnitSpec]]
# Deaths come often here; delays that grow to minutes would measure the supervisor's patience, not recovery.
_RULES = Rules(first_delay_s=0.2, longest_delay_s=1.0, steady_s=2.0, attempts=20)
_OTHERS = frozenset({"SLIPWAY_KAFKA", "SLIPWAY_POSTGRES", "SLIPWAY_REDIS", "SLIPWAY_EVENTS"})
_START_S = 90.0
_TICK_S, _PROBE_S = 0.01, 0.1
_AREAS = {
    "registry": "registry",
    "features": "feature_serving",
    "training": "training_scheduler",
    "gateway": "inference_gateway",
    "monitor": "monitor",
}


class Platform:
    """Running units. Those that die are restarted for as long as the platform is open."""

    def __init__(self, plan: Plan, crew: Crew, events: str) -> None:
        """``events``: the URL of the event log as it is, past any proxy."""
        self._crew = crew
        self.folder = plan.options.data
        self.events = events

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        *,
        services: tuple[str, ...],
        backing: frozenset[str],
        configs: Mapping[str, str],
        adapt: Adapt,
        profile: Profile = "embedded",
        brokers: int = 1,
    ) -> AsyncIterator[Platform]:
        """Start the units on ``folder``, which keeps its data from one opening to the next.

        Raises :class:`UpFailed` when they don't come to serve.
        """
        options = Options(
            data=folder,
            free_ports=True,
            config_dir=_written(configs, folder),
            without=frozenset({"redis", "ray"}) - backing,
            profile=profile,
            brokers=brokers,
            fleet=_fleet(services),
        )
        with lock.hold(folder) as me:
            proc.kill_marked(folder)  # what a run that was killed could not end
            # Servers that others run are not to be disturbed, and what they hold would come to nothing.
            environ = {name: text for name, text in os.environ.items() if name not in _OTHERS}
            made = await asyncio.to_thread(make_plan, options, environ)  # it runs an event loop of its own
            below = [await adapt(one) for one in made.backing]
            plan = replace(made, backing=tuple(below), services=tuple([await adapt(one) for one in made.services]))
            clock = SystemClock()
            crew = Crew(plan, SupervisorStatus(me.pid, me.ticks, clock.now().isoformat()), clock, lambda _: None)
            crew.start()
            try:
                platform = cls(plan, crew, made.services[0].env["SLIPWAY_EVENTS"])
                await platform.all_serve()
                yield platform
            finally:
                await crew.stop()
                proc.kill_marked(folder)
                clear_state(folder)

    def client(self, timeout_s: float = 5.0) -> AsyncSlipway:
        """A client of the services that run."""
        addresses = {
            area: at for area, name in _AREAS.items() if name in self._crew.units and (at := self._address(name))
        }
        return AsyncSlipway(timeout_s=timeout_s, **addresses)

    def pid(self, unit: str) -> int | None:
        """The unit's process as it is now."""
        return self._crew.units[unit].status().pid

    def stop_signal(self, unit: str) -> signal.Signals:
        """What asks the unit to end in order."""
        return self._crew.units[unit].spec.stop_signal

    def redis(self) -> str:
        """Redis itself, past any proxy: ``redis://...``."""
        return f"redis://{self._crew.units['redis'].spec.endpoints['tcp']}/0"

    async def pid_of_serving(self, unit: str) -> int:
        """The unit's process, once it serves."""
        while (pid := self.pid(unit)) is None or self._crew.units[unit].state.phase is not Phase.SERVING:
            self._raise_broken()
            await asyncio.sleep(_TICK_S)
        return pid

    async def died(self, unit: str, pid: int, within_s: float) -> bool:
        """Wait for the end of that process of the unit; whether it came in time."""
        try:
            async with asyncio.timeout(within_s):
                while self.pid(unit) == pid:  # noqa: ASYNC110 - the supervisor's units tell no event of it
                    await asyncio.sleep(_TICK_S)
        except TimeoutError:
            return False
        return True

    @asynccontextmanager
    async def twin(self, unit: str, within_s: float) -> AsyncIterator[bool]:
        """A second process of the unit, on ports of its own and the same data; whether it came to serve in time.

        The supervisor knows nothing of it, and ends it when it starts the unit again.
        """
        spec, prefix = self._crew.units[unit].spec, f"SLIPWAY_{unit.upper()}_"
        listens = {name: "127.0.0.1:0" for name in spec.env if name.startswith(prefix) and name.endswith("_LISTEN")}
        address = f"127.0.0.1:{free_port()}"
        env = {**spec.env, **listens, f"{prefix}GRPC_LISTEN": address}
        log = spec.log.with_name(f"{unit}-twin.log")
        child = await Child.start(spec.command, env, self.folder, log)
        try:
            yield await _serves(grpc_serves(address), child, within_s)
        finally:
            child.kill()
            await child.wait()

    async def all_serve(self, within_s: float = _START_S) -> None:
        """Wait until every unit serves. Raises :class:`UpFailed`."""
        try:
            async with asyncio.timeout(within_s):
                while self._crew.not_serving():
                    self._raise_broken()
                    await asyncio.sleep(_TICK_S)
        except TimeoutError:
            self._fail([one.spec.name for one in self._crew.not_serving()])

    def _raise_broken(self) -> None:
        if broken := self._crew.broken():
            self._fail([one.spec.name for one in broken])

    def _fail(self, names: list[str]) -> None:
        tails = "\n".join(line for name in names for line in self._crew.units[name].log_tail(10))
        raise UpFailed(f"not serving: {', '.join(names)}; their logs are in {self.folder / 'log'}\n{tails}")

    def _address(self, name: str) -> str | None:
        return self._crew.units[name].spec.endpoints.get("grpc")


async def _serves(probe: Probe, child: Child, within_s: float) -> bool:
    ended = asyncio.ensure_future(child.wait())
    until_s = time.monotonic() + within_s
    try:
        while not ended.done() and time.monotonic() < until_s:
            if await probe() is None:
                return True
            await asyncio.sleep(_PROBE_S)
    finally:
        ended.cancel()
    return False


def _fleet(services: tuple[str, ...]) -> Fleet:
    wanted = tuple(one for one in FLEET.services if one.name in services)
    return Fleet(services=wanted, stop_order=FLEET.stop_order, rules=_RULES, grace_s=10.0)


def _written(configs: Mapping[str, str], folder: Path) -> Path:
    """The folder that holds the services' TOML files; without one a service runs on its defaults."""
    place = folder / "config"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in configs.items():
        (place / f"{name}.toml").write_text(text, encoding="utf-8")
    return place
