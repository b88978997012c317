"""Where the code meets what is armed."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from slipway.failpoints.armory import VARIABLE, Armory
from slipway.failpoints.effect import act
from slipway.failpoints.file import FILE_VARIABLE
from slipway.failpoints.names import Name
from slipway.failpoints.spec import Entry

_log = logging.getLogger(__name__)


def _from_environment() -> Armory | None:
    return Armory(os.environ) if os.environ.get(VARIABLE) or os.environ.get(FILE_VARIABLE) else None


_armory = _from_environment()


def hit(name: Name) -> None:
    """Do here what is armed for ``name``; a delay holds up the thread."""
    if _armory is not None:
        _hit(_armory, name)


async def hit_async(name: Name) -> None:
    """Do here what is armed for ``name``; during a delay the event loop goes on."""
    if _armory is not None:
        await _hit_async(_armory, name)


@contextmanager
def arming(spec: str) -> Iterator[None]:
    """Arm this very process by ``spec`` and nothing else until left; for tests. Raises InvalidInput."""
    global _armory  # noqa: PLW0603  (a switch is global: that is what makes it cheap)
    before = _armory
    _armory = Armory({VARIABLE: spec})
    try:
        check()
        yield
    finally:
        _armory = before


def check() -> None:
    """Raise InvalidInput for a spec that can't be read, before it matters."""
    if _armory is not None:
        _armory.entries()


def warn_if_armed() -> None:
    """Say in the log that this process may fail on purpose."""
    if _armory is not None:
        told = [str(entry) for entry in _armory.entries()]
        watched = str(_armory.file) if _armory.file else None
        _log.warning("failpoints are on: this process may fail on purpose", extra={"armed": told, "file": watched})


def _hit(armory: Armory, name: str) -> None:
    entry = _due(armory, name)
    if entry is not None:
        if entry.delay_s:
            time.sleep(entry.delay_s)
        act(entry)


async def _hit_async(armory: Armory, name: str) -> None:
    entry = _due(armory, name)
    if entry is not None:
        if entry.delay_s:
            import asyncio  # noqa: PLC0415  (commands that only write a file do without)

            await asyncio.sleep(entry.delay_s)
        act(entry)


def _due(armory: Armory, name: str) -> Entry | None:
    entry = armory.due(name)
    if entry is not None:
        # What acts each time would fill the log.
        level = logging.DEBUG if entry.times is None else logging.WARNING
        _log.log(level, "a failpoint acts", extra={"failpoint": str(entry)})
    return entry
