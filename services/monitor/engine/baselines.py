"""The baselines of the versions that answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from services.monitor.domain.baseline import Baseline
from services.monitor.domain.batch import Batch
from services.monitor.domain.errors import VersionUnknown
from services.monitor.ports import Reader, Windows
from slipway.clock import Clock

log = logging.getLogger(__name__)


class Baselines:
    """Remembers the baselines that were read: none of them ever changes.

    A version's predictions may be here before the registry's word of it. They wait for ``wait_s`` seconds, and are then
    counted without histograms; the version is not waited for again.
    """

    def __init__(self, windows: Windows, clock: Clock, wait_s: float) -> None:
        self._windows = windows
        self._clock = clock
        self._wait = timedelta(seconds=wait_s)
        self._known: dict[tuple[str, int], Baseline] = {}
        self._missed: dict[tuple[str, int], datetime] = {}

    async def expect(self, batches: Iterable[Batch]) -> None:
        """Raise VersionUnknown while a version of ``batches`` is to be waited for."""
        wanted = {(batch.arm.model, batch.arm.version) for batch in batches if not batch.shadow}
        missing = wanted - self._known.keys()
        if not missing:
            return
        async with self._windows.read() as windows:
            await self._load(windows, missing)
        now = self._clock.now()
        waited_for = []
        for one in sorted(missing - self._known.keys()):
            if one not in self._missed:
                self._missed[one] = now
                if self._wait:
                    log.info("waiting for the registry's word of %s version %d", *one)
            if now - self._missed[one] < self._wait:
                waited_for.append(one)
        if waited_for:
            raise VersionUnknown(*waited_for[0])

    async def of(self, windows: Reader, versions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Baseline]:
        """The baselines of those that have one."""
        wanted = set(versions)
        await self._load(windows, wanted)
        return {one: self._known[one] for one in wanted if one in self._known}

    async def _load(self, windows: Reader, versions: Iterable[tuple[str, int]]) -> None:
        for one in set(versions) - self._known.keys():
            if found := await windows.baseline(*one):
                self._known[one] = found
