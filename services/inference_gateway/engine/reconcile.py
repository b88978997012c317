"""Bringing what runs to what is desired: load, warm, flip, drain, unload."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.inference_gateway.domain.desired import NOTHING, Desired, Route, VersionKey, plan
from services.inference_gateway.domain.errors import (
    EndpointNotFound,
    NotReady,
    VersionNotWanted,
    VersionTakesTraffic,
)
from services.inference_gateway.domain.unloaded import Unloaded, takers
from services.inference_gateway.domain.worker_errors import Quarantined
from services.inference_gateway.engine.arm import Arm
from services.inference_gateway.engine.guard import Guard
from services.inference_gateway.engine.launch import Launch
from services.inference_gateway.engine.leaving import Leaving
from services.inference_gateway.engine.runner import Pool, Runner
from services.inference_gateway.engine.stowage import Stowage
from slipway.clock import Clock
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)

_FIRST_DELAY_S = 0.5
_LONGEST_DELAY_S = 30.0


class Reconciler:
    """Owns the runners. Readers take :meth:`arms`, one immutable snapshot, and never wait for a change."""

    def __init__(
        self, launch: Launch, clock: Clock, pool: Pool, guard: Guard, drain_s: float, *, budget_bytes: int = 0
    ) -> None:
        """``drain_s`` is the time that a drained version gets; ``budget_bytes`` is all workers' memory, 0 for any."""
        self._launch = launch
        self._stowage = Stowage(launch.models, budget_bytes)
        self._clock = clock
        self._pool = pool
        self._guard = guard
        self._drain_s = drain_s
        self._runners: dict[VersionKey, Runner] = {}
        self._loading: dict[VersionKey, asyncio.Task[None]] = {}
        self._hopeless: set[VersionKey] = set()
        self._unloaded = Unloaded()
        self._leaving = Leaving(drain_s)
        self._serving: dict[str, tuple[Route, ...]] = {}
        self._arms: Mapping[str, tuple[Arm, ...]] = {}
        self._settled = asyncio.Event()
        self._stepped = asyncio.Event()
        self._attempts: dict[VersionKey, int] = {}
        self.failures: dict[VersionKey, str] = {}
        self.desired: Desired = NOTHING
        self.changed_at: datetime = clock.now()

    def arms(self, endpoint: str) -> tuple[Arm, ...]:
        """The arms that answer for an endpoint now. Raises EndpointNotFound, NotReady."""
        arms = self._arms.get(endpoint)
        if arms is not None:
            return arms
        wanted = self.desired.endpoints.get(endpoint)
        if wanted is None:
            raise EndpointNotFound(endpoint)
        whys = [self.failures.get(route.version, f"{route.version} is loading") for route in wanted.routes]
        raise NotReady(endpoint, "; ".join(whys))

    @property
    def serving(self) -> Mapping[str, tuple[Arm, ...]]:
        """Every endpoint that answers now, and its arms."""
        return self._arms

    @property
    def effective(self) -> Desired:
        """What is desired, less what the guardrails took to zero."""
        return self._guard.effective(self.desired)

    def disabled_reason(self, endpoint: str, route: str) -> str:
        """Why an arm was taken to zero here; empty while it was not."""
        one = self._guard.disabled.get((endpoint, route))
        return one.reason if one else ""

    def observe(self, endpoint: str, route: Route, why: str, *, seconds: float | None = None, rows: int = 1) -> None:
        """Hear how an arm did on a batch, which failed unless ``why`` is empty; it may be taken to zero for it.

        ``rows`` of it were answered after ``seconds``; None where nobody waited for them.
        """
        if self._guard.observe(self.desired, endpoint, route, why, seconds=seconds, rows=rows):
            self._step()

    def want(self, desired: Desired) -> None:
        """Take over a new desired state and start moving towards it; what is in quarantine and changes leaves it."""
        changed = [one for one in desired.endpoints.values() if self.desired.endpoints.get(one.name) != one]
        self.desired = desired
        for key in {version for endpoint in changed for version in endpoint.versions}:
            if self._in_quarantine(key):
                self._renew(key)
        self._guard.follow(desired)
        self.changed_at = self._clock.now()
        self._settled.clear()
        self._step()

    async def reload(self, key: VersionKey) -> None:
        """Give a version another chance at once, out of quarantine too; returns when it answers.

        Raises VersionNotWanted; NotReady or Quarantined when it fails again.
        """
        self._renew(key)
        self._step()
        while (runner := self._runners.get(key)) is None:
            if key not in self.desired.versions:
                raise VersionNotWanted(str(key))
            if why := self.failures.get(key):
                raise NotReady(str(key), why)
            await self._stepped.wait()
        await runner.up()

    def takers(self, key: VersionKey) -> list[str]:
        """The endpoints, by name, whose rows a version scores or is about to."""
        return takers(self.effective, self._serving, key)

    @property
    def runners(self) -> Sequence[Runner]:
        """Every version that is loaded."""
        return list(self._runners.values())

    async def unload(self, key: VersionKey, why: str = "on demand") -> None:
        """Give a version's memory back until it is wanted: by rows, or by :meth:`reload`. Returns when it is back.

        Raises VersionTakesTraffic.
        """
        if endpoints := self.takers(key):
            raise VersionTakesTraffic(str(key), endpoints)
        self._unloaded.add(key, why)
        self._step()
        await self._leaving.retired(key)

    async def settled(self) -> None:
        """Wait until every version that is wanted has been loaded or has failed once."""
        await self._settled.wait()

    async def stop(self) -> None:
        """Give up what loads, drain and end every worker."""
        for task in self._loading.values():
            self._leaving.give_up(task)
        await self._leaving.end()
        await asyncio.gather(*(runner.stop(self._drain_s) for runner in self._runners.values()))

    def _step(self) -> None:
        self._take_back_unloaded()
        wanted = self.desired.versions.keys() - self._unloaded.reasons.keys()
        for key in self._attempts.keys() - wanted:
            del self._attempts[key]
        self._hopeless &= wanted
        sound = {key for key, runner in self._runners.items() if not runner.quarantined}
        self._guard.judge_loads(self.desired, self._attempts, sound, self.failures)
        busy = self._loading.keys() | self._hopeless
        desired, serving = self._unloaded.less(self.effective), self._unloaded.less_serving(self._serving)
        following = plan(desired, self._runners.keys(), busy, serving)
        for key in self._loading.keys() - wanted:
            self._leaving.give_up(self._loading.pop(key))
        for key in self.failures.keys() - wanted:
            del self.failures[key]
        self.failures |= self._unloaded.reasons
        for key in following.load - wanted:
            self.failures[key] = f"the registry describes {key} in a way that this gateway can't read; upgrade it"
        for key in following.load & wanted:
            self._loading[key] = asyncio.create_task(self._load(key), name=f"load {key}")
        self._serving = dict(following.arms)
        self._arms = {
            name: tuple(Arm(route, self._runners[route.version]) for route in routes)
            for name, routes in following.arms.items()
        }
        for key in following.unload:
            self._leaving.retire(self._runners.pop(key))
        if not self._loading.keys() - self.failures.keys():
            self._settled.set()
        self._stepped.set()
        self._stepped.clear()

    def _take_back_unloaded(self) -> None:
        for key in self._unloaded.back(self.effective, self._serving):
            self.failures.pop(key, None)

    async def _load(self, key: VersionKey) -> None:
        delay = _FIRST_DELAY_S
        runner = Runner(self.desired.versions[key], self._launch, self._clock, self._pool, self._quarantined)
        while True:
            try:
                async with self._stowage.room(runner.spec, len(runner.berths), self._runners, self._idle, self._evict):
                    await runner.start()
                    self._runners[key] = runner
                break
            except Quarantined:
                return  # told already
            except SlipwayError as error:
                log.warning("a version can't be loaded yet", extra={"version": str(key), "why": error.message})
                self.failures[key] = error.message
            except Exception:
                # A defect in loading one version must not stop the others, nor the tries to come.
                log.exception("loading a version failed by a defect", extra={"version": str(key)})
                self.failures[key] = f"loading {key} failed by a defect; the gateway's log has the details"
            self._attempts[key] = self._attempts.get(key, 0) + 1
            self._step()
            await self._clock.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_S)
        self._loading.pop(key, None)
        self.failures.pop(key, None)
        self._attempts.pop(key, None)
        log.info("a version is ready", extra={"version": str(key)})
        self._step()

    def _idle(self) -> list[Runner]:
        return [runner for key, runner in self._runners.items() if not self.takers(key)]

    async def _evict(self, key: VersionKey) -> None:
        log.warning("a version makes place for another", extra={"version": str(key)})
        await self.unload(key, "to make place for another version")

    def _quarantined(self, key: VersionKey, why: str) -> None:
        log.error("a version is put in quarantine", extra={"version": str(key), "why": why})
        self.failures[key] = f"{key} is in quarantine: {why}"
        self._attempts[key] = sys.maxsize  # no try to come would tell more
        if loading := self._loading.pop(key, None):
            self._leaving.await_at_end(loading)
            self._hopeless.add(key)
        self._step()

    def _in_quarantine(self, key: VersionKey) -> bool:
        runner = self._runners.get(key)
        return key in self._hopeless or (runner is not None and bool(runner.quarantined))

    def _renew(self, key: VersionKey) -> None:
        """Forget how a version failed, and try it again."""
        failed = self.failures.pop(key, None)
        self._attempts.pop(key, None)
        self._hopeless.discard(key)
        self._unloaded.discard(key)
        if runner := self._runners.get(key):
            runner.release()
        elif failed and (loading := self._loading.pop(key, None)):
            self._leaving.give_up(loading)

    async def __aenter__(self) -> Reconciler:
        return self

    async def __aexit__(self, *_: object) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self.stop()
