"""The loop that keeps one unit as the policy wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from slipway.clock import Clock
from slipway.errors import SlipwayError
from slipway.supervisor import logs, proc
from slipway.supervisor.policy import (
    ENDED,
    Action,
    Answered,
    Decision,
    Event,
    Exited,
    Phase,
    Rules,
    Silent,
    StopAsked,
    UnitState,
    Waited,
    born,
    next_action,
)
from slipway.supervisor.process import Child, ending
from slipway.supervisor.spec import UnitSpec
from slipway.supervisor.state import UnitStatus

_PROBE_STARTING_S, _PROBE_SERVING_S = 0.1, 2.0
_HUNG_GRACE_S = 5.0
_GONE_S = 10.0
_NEWS_S = 5.0


class Unit:
    """Starts, probes, restarts and stops one unit; one task runs :meth:`run`.

    Promises that no process of the unit lives when :meth:`run` returns or the next one starts.
    """

    def __init__(self, spec: UnitSpec, data: Path, clock: Clock, rules: Rules, changed: Callable[[], None]):
        self.spec = spec
        self._data, self._clock, self._rules, self._changed = data, clock, rules, changed
        self._decision = born(clock.monotonic())
        self._since: datetime = clock.now()
        self._child: Child | None = None
        self._exit_code: int | None = None
        self._lacks: str | None = None
        self._stop = asyncio.Event()
        self._log_start = logs.size(spec.log)

    @property
    def state(self) -> UnitState:
        """The policy's view of the unit."""
        return self._decision.state

    def status(self) -> UnitStatus:
        """The unit as ``slipway status`` shows it."""
        state, spec = self.state, self.spec
        return UnitStatus(
            name=spec.name,
            state=state.phase.value,
            pid=self._child.pid if self._child else None,
            restarts=state.restarts,
            endpoints=dict(spec.endpoints),
            reason=self._lacks or state.reason,
            since=self._since.isoformat(),
            exit_code=self._exit_code,
            log=str(spec.log),
        )

    def log_tail(self, lines: int) -> list[str]:
        """The last lines that the unit wrote since this supervisor started."""
        return logs.tail(self.spec.log, lines, self._log_start)

    def ask_stop(self) -> None:
        """Have :meth:`run` drain the unit and return."""
        self._stop.set()

    def kill(self) -> None:
        """End a drain that takes too long for whoever asked: SIGKILL now."""
        if self._child:
            self._child.kill()

    async def run(self) -> None:
        """Keep the unit up until it is asked to stop or has failed."""
        try:
            event = await self._start()
            while self.state.phase not in ENDED:
                event = event or await self._next()
                self._become(next_action(self.state, event, self._clock.monotonic(), self._rules))
                event = await self._obey(self._decision)
        finally:
            await self._end_all()
            self.spec.after()
            self._changed()

    def _become(self, decision: Decision) -> None:
        before, self._decision = self.state, decision
        if decision.state.phase is not before.phase:
            self._since = self._clock.now()
        if (decision.state.phase, decision.state.reason) != (before.phase, before.reason):
            self._changed()

    async def _obey(self, decision: Decision) -> Event | None:
        match decision.action:
            case Action.START:
                return await self._start()
            case Action.KILL if self._child:
                await self._child.stop(_HUNG_GRACE_S, self.spec.stop_signal)
            case Action.STOP if self._child:
                await self._child.stop(self.spec.grace_s, self.spec.stop_signal)
        return None

    async def _start(self) -> Event | None:
        """Start the command; an event when that is impossible, or no longer wanted."""
        await self._end_all()
        try:
            if not await self._has_what_it_needs():
                return StopAsked()
            self.spec.before()
            logs.rotate(self.spec.log)
            if (command := self.spec.first()) and (event := await self._ran(command)):
                return event
            self._child = await self._launched(self.spec.command)
        except OSError as error:
            return Exited(None, f"can't be started: {error.strerror or error}")
        except SlipwayError as error:
            return Exited(None, f"can't be started: {error.message}")
        self._changed()
        return None

    async def _has_what_it_needs(self) -> bool:
        """Wait until nothing is missing (True), or the unit shall stop (False)."""
        since_s = self._clock.monotonic()
        try:
            while lacks := await self.spec.needs():
                if self._stop.is_set():
                    return False
                # That one thing starts a moment before the other is no news.
                if self._lacks != lacks and self._clock.monotonic() - since_s >= _NEWS_S:
                    self._lacks = lacks
                    self._changed()
                await self._clock.sleep(_PROBE_STARTING_S)
        finally:
            self._lacks = None
        return True

    async def _ran(self, command: tuple[str, ...]) -> Event | None:
        """Run what comes before the unit's own command; an event when it failed or the unit shall stop."""
        self._child = await self._launched(command)
        event = await _first(self._exited(), self._stop_asked())
        if isinstance(event, Exited) and event.code != 0:
            return Exited(event.code, f"its preparation {event.text}")
        return event if isinstance(event, StopAsked) else None

    async def _launched(self, command: tuple[str, ...]) -> Child:
        spec = self.spec
        return await Child.start(command, spec.env, self._data, spec.log, spec.owner)

    async def _next(self) -> Event:
        if self.state.phase is Phase.BACKOFF:
            return await _first(self._stop_asked(), self._waited(self._decision.delay_s))
        if self.state.phase is Phase.STOPPING:
            return await self._exited()
        return await _first(self._exited(), self._stop_asked(), self._probed())

    async def _exited(self) -> Event:
        if self._child is None:
            return Exited(None, "never started")
        code = await self._child.wait()
        self._child, self._exit_code = None, code
        return Exited(code, ending(code))

    async def _stop_asked(self) -> Event:
        await self._stop.wait()
        return StopAsked()

    async def _waited(self, delay_s: float) -> Event:
        await self._clock.sleep(delay_s)
        return Waited()

    async def _probed(self) -> Event:
        serving = self.state.phase is Phase.SERVING
        await self._clock.sleep(_PROBE_SERVING_S if serving else _PROBE_STARTING_S)
        wrong = await self.spec.probe()
        return Answered() if wrong is None else Silent(wrong)

    async def _end_all(self) -> None:
        """End what the unit left: its child, and descendants that outlived it."""
        if self._child:
            self._child.kill()
            await self._child.wait()
            self._child = None
        waited_s = 0.0
        while proc.kill_marked(self._data, self.spec.name) and waited_s < _GONE_S:
            await self._clock.sleep(0.02)
            waited_s += 0.02


async def _first(*awaitables: Awaitable[Event]) -> Event:
    """The first event, in the order given when several are there; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in awaitables]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(one.result() for one in tasks if one.done())
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
