"""The life of a supervisor: lock, plan, start, watch, drain, clear."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable

from slipway.clock import Clock, SystemClock
from slipway.supervisor import lock, logs, proc
from slipway.supervisor.crew import Crew
from slipway.supervisor.options import Options
from slipway.supervisor.plan import Plan, make_plan
from slipway.supervisor.report import Culprit, Progress, Ready, Report, UpFailed
from slipway.supervisor.state import SupervisorStatus, UnitStatus, clear_state
from slipway.supervisor.unit import Unit

_TAIL_LINES = 20


def supervise(options: Options, report: Report) -> None:
    """Run until asked to stop (SIGTERM, SIGINT, SIGHUP); returns when everything is drained.

    Raises :class:`lock.AlreadyUp`, what :func:`make_plan` raises, or :class:`UpFailed`; nothing of the
    fleet runs and no state file is left then.
    """
    with lock.hold(options.data) as me:
        proc.kill_marked(options.data)  # what a supervisor that was killed could not end
        clear_state(options.data)
        plan = make_plan(options)
        clock = SystemClock()
        status = SupervisorStatus(me.pid, me.ticks, clock.now().isoformat())
        try:
            asyncio.run(_live(plan, status, clock, report))
        finally:
            proc.kill_marked(options.data)
            clear_state(options.data)


async def _live(plan: Plan, me: SupervisorStatus, clock: Clock, report: Report) -> None:
    began_s = clock.monotonic()

    def watch(unit: UnitStatus) -> None:
        report(Progress(unit.name, unit.state, unit.reason, clock.monotonic() - began_s))

    for spec in (*plan.services, *plan.backing):
        logs.rotate(spec.log)
    crew = Crew(plan, me, clock, watch)
    stop = _stop_signals(crew)
    crew.start()
    failure: UpFailed | None = None
    try:
        await _race(crew.until_all_serve(), stop.wait(), clock.sleep(plan.options.timeout_s))
        if crew.not_serving():
            failure = _failure(crew, stopped=stop.is_set())
        else:
            crew.mark_ready()
            report(Ready(clock.monotonic() - began_s))
            await _race(crew.until_broken(), stop.wait())
            failure = None if stop.is_set() else _failure(crew, stopped=False)
    finally:
        await crew.stop()
    if failure:
        raise failure


def _stop_signals(crew: Crew) -> asyncio.Event:
    """Set by the first signal to stop; a second Ctrl-C is impatience, and cuts the drain short."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def interrupted() -> None:
        if stop.is_set():
            crew.kill()
        stop.set()

    loop.add_signal_handler(signal.SIGINT, interrupted)
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop


async def _race(*awaitables: Awaitable[object]) -> int:
    """Which of them ended first; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in awaitables]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(index for index, one in enumerate(tasks) if one.done())
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _failure(crew: Crew, *, stopped: bool) -> UpFailed:
    if stopped:
        return UpFailed("asked to stop before everything served; everything that was started is stopped again")
    culprits = [_culprit(unit) for unit in crew.broken() or crew.not_serving()]
    names = ", ".join(one.name for one in culprits)
    return UpFailed(f"not serving: {names}; everything that was started is stopped again", culprits)


def _culprit(unit: Unit) -> Culprit:
    status = unit.status()
    return Culprit(
        name=status.name,
        reason=status.reason or f"still {status.state} when the time was over",
        exit_code=status.exit_code,
        log=str(status.log),
        log_tail=unit.log_tail(_TAIL_LINES),
    )
