"""Being connected to a Ray cluster, which may not be there yet, may go, and may come back as another one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from services.training_scheduler.adapters.ray_driver import Driver, DriverFailed, DriverGone
from services.training_scheduler.adapters.ray_frames import Kind

_FIRST_WAIT_S = 0.2
_MOST_WAIT_S = 5.0
_LOOK_S = 2.0
_log = logging.getLogger(__name__)
Greet = Callable[[Driver], Awaitable[None]]


class RayLink:
    """Keeps a driver connected; ``greet`` is called with each one before anybody else may ask it."""

    def __init__(self, address: str, namespace: str, greet: Greet) -> None:
        self._address = address
        self._namespace = namespace
        self._greet = greet
        self._driver: Driver | None = None
        self._connected = asyncio.Event()
        self._parted = asyncio.Event()

    async def ask(self, kind: Kind, body: Any) -> Any:
        """The driver's answer, once there is one. Raises DriverGone, DriverFailed, ActorLost."""
        while (driver := self._driver) is None:
            await self._connected.wait()
        try:
            return await driver.ask(kind, body)
        except DriverGone:
            if self._driver is driver:
                await self._parted.wait()  # so that who asks again asks another
            raise

    def tell(self, kind: Kind, body: Any) -> asyncio.Task[None] | None:
        """Ask and leave it at that; without a driver nothing is asked, for the next one's greeting sees to it."""
        if self._driver is None:
            return None
        return asyncio.create_task(self._told(self._driver, kind, body))

    async def _told(self, driver: Driver, kind: Kind, body: Any) -> None:
        with contextlib.suppress(DriverGone, DriverFailed):
            await driver.ask(kind, body)

    async def keep(self) -> None:
        """Connect, and again whenever the driver ended, until cancelled."""
        wait_s, told = _FIRST_WAIT_S, False
        while True:
            if await self._reachable():
                if await self._live():
                    wait_s, told = _FIRST_WAIT_S, False
                    continue
            elif not told:
                told = True
                _log.warning("Ray does not answer; steps wait for it", extra={"address": self._address})
            await asyncio.sleep(wait_s)
            wait_s = min(_MOST_WAIT_S, wait_s * 2)

    async def _live(self) -> bool:
        """One driver's life; whether it ever was connected."""
        try:
            driver = await Driver.start(self._address)
        except OSError as error:
            _log.warning("the Ray driver can't be started: %s", error.strerror or type(error).__name__)
            return False
        try:
            await driver.ask(Kind.CONNECT, {"address": self._address, "namespace": self._namespace})
            await self._greet(driver)
            self._driver = driver
            self._parted.clear()
            self._connected.set()
            _log.info("connected to Ray", extra={"address": self._address})
            await driver.died.wait()
            _log.warning("the Ray driver ended; connecting again", extra={"address": self._address})
        except (DriverGone, DriverFailed) as error:
            _log.warning("Ray can't be joined: %s", str(error) or "the driver died", extra={"address": self._address})
            return False
        finally:
            self._driver = None
            self._connected.clear()
            self._parted.set()
            await driver.stop()
        return True

    async def _reachable(self) -> bool:
        """Whether somebody listens: a driver's imports are not paid for before."""
        host, _, port = self._address.rpartition(":")
        try:
            async with asyncio.timeout(_LOOK_S):
                _, writer = await asyncio.open_connection(host, int(port))
        except (OSError, TimeoutError):
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True
