"""All units of a supervisor together: started at once, stopped in order, published on every change."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from itertools import groupby

from slipway.clock import Clock
from slipway.supervisor.plan import Plan
from slipway.supervisor.policy import Phase
from slipway.supervisor.state import State, SupervisorStatus, UnitStatus, write_state
from slipway.supervisor.unit import Unit

Watcher = Callable[[UnitStatus], None]


class Crew:
    """Runs a plan's units, one task each. A unit's own failure ends that unit alone; see :meth:`broken`."""

    def __init__(self, plan: Plan, me: SupervisorStatus, clock: Clock, watcher: Watcher):
        self._plan, self._me, self._watcher = plan, me, watcher
        self._changed = asyncio.Event()
        self._seen: dict[str, tuple[str, str | None]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        options = plan.options
        self.units = {
            spec.name: Unit(spec, options.data, clock, options.fleet.rules, self._publish)
            for spec in (*plan.services, *plan.backing)
        }

    def start(self) -> None:
        """Start every unit at once: services do not wait for what backs them, nor for each other."""
        for name, unit in self.units.items():
            self._tasks[name] = asyncio.create_task(unit.run(), name=name)
            self._tasks[name].add_done_callback(lambda _: self._changed.set())
        self._publish()

    async def until_all_serve(self) -> bool:
        """Wait until every unit serves at once (True), or one can't any more (False)."""
        while True:
            self._changed.clear()
            if self.broken():
                return False
            if all(unit.state.phase is Phase.SERVING for unit in self.units.values()):
                return True
            await self._changed.wait()

    async def until_broken(self) -> None:
        """Wait until a unit ended that nobody asked to."""
        while not self.broken():
            self._changed.clear()
            await self._changed.wait()

    def broken(self) -> list[Unit]:
        """Units whose loop ended by itself: failed for good, or by a fault of ours."""
        return [self.units[name] for name, task in self._tasks.items() if task.done()]

    def not_serving(self) -> list[Unit]:
        """Units that do not serve now."""
        return [unit for unit in self.units.values() if unit.state.phase is not Phase.SERVING]

    def mark_ready(self) -> State:
        """Publish that every unit has served; returns what was published."""
        self._me = SupervisorStatus(self._me.pid, self._me.started_ticks, self._me.since, ready=True)
        self._publish()
        return self.state()

    async def stop(self) -> None:
        """Drain unit by unit in the fleet's order. Raises what broke a unit's loop, once all are down."""
        order = self._plan.options.fleet.stop_order
        names = sorted(self.units, key=lambda name: order.index(name) if name in order else -1)
        for _, together in groupby(names, key=lambda name: name.partition("-")[0]):  # a cluster's nodes are one
            tasks = []
            for name in together:
                self.units[name].ask_stop()
                tasks.append(self._tasks[name])
            await asyncio.wait(tasks)
        for task in self._tasks.values():
            task.result()

    def kill(self) -> None:
        """Cut every drain short."""
        for unit in self.units.values():
            unit.kill()

    def state(self) -> State:
        """Every unit as it is now."""
        return State(
            data=str(self._plan.options.data),
            profile=self._plan.options.profile,
            servers=self._plan.servers.exports(),
            elsewhere=self._plan.servers.elsewhere,
            events=self._plan.events,
            supervisor=self._me,
            services=tuple(self.units[spec.name].status() for spec in self._plan.services),
            backing=tuple(self.units[spec.name].status() for spec in self._plan.backing),
        )

    def _publish(self) -> None:
        self._changed.set()
        state = self.state()
        try:
            write_state(self._plan.options.data, state)
        except OSError as error:  # a full disk must not stop the services
            print(f"can't write the state file: {error}", file=sys.stderr, flush=True)
        for one in (*state.services, *state.backing):
            if self._seen.get(one.name) != (one.state, one.reason):
                self._seen[one.name] = (one.state, one.reason)
                self._watcher(one)
