"""Following the registry, with the last snapshot to start from."""

from __future__ import annotations

import asyncio
import logging

from services.inference_gateway.domain.desired import Desired
from services.inference_gateway.engine.reconcile import Reconciler
from services.inference_gateway.ports import DesiredStates, Snapshots
from slipway.errors import SlipwayError

log = logging.getLogger(__name__)


class Follow:
    """Hands every desired state to the reconciler, and keeps the last one on disk."""

    def __init__(self, states: DesiredStates, snapshots: Snapshots, reconciler: Reconciler) -> None:
        self._states = states
        self._snapshots = snapshots
        self._reconciler = reconciler
        self._heard = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether the registry's stream is up."""
        return self._states.connected

    @property
    def heard(self) -> bool:
        """Whether any desired state is known, from the registry or from before the restart."""
        return self._heard.is_set()

    async def restore(self) -> None:
        """Serve what was desired before the restart, until the registry says otherwise."""
        kept = await self._snapshots.load()
        if kept is not None:
            log.info("serving the last snapshot", extra={"revision": kept.revision})
            self._reconciler.want(kept)
            self._heard.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        async for step in self._states.follow():
            desired = self._reconciler.desired.after(step)
            if desired != self._reconciler.desired:
                await self._store(desired)
                self._reconciler.want(desired)
            self._heard.set()

    async def _store(self, desired: Desired) -> None:
        try:
            await self._snapshots.store(desired)
        except SlipwayError as error:
            # Applications come first; the next change is another chance to keep one.
            log.error("a restart would find an older snapshot", extra={"why": error.message}, exc_info=error.__cause__)

    async def told(self) -> None:
        """Wait until any desired state is known."""
        await self._heard.wait()

    async def ready(self, patience_s: float) -> None:
        """Wait until the first desired state has been brought up, or tried; no longer than ``patience_s``."""
        try:
            async with asyncio.timeout(patience_s):
                await self._heard.wait()
                if self._reconciler.desired.endpoints:
                    await self._reconciler.settled()
        except TimeoutError:
            log.warning("serving before everything that is desired is up")
