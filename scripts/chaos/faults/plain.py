"""What most faults have in common: they suit every load and change nothing beforehand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from scripts.chaos.load import Needs
from slipway.supervisor.spec import UnitSpec


class Plain:
    """The parts of :class:`scripts.chaos.fault.Fault` that do nothing."""

    @property
    def brokers(self) -> int:
        """See Fault."""
        return 1

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """See Fault."""
        return None

    @asynccontextmanager
    async def around(self, folder: Path) -> AsyncIterator[None]:
        """See Fault."""
        yield

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        """See Fault."""
        return unit
