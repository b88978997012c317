"""What a fault is."""

from __future__ import annotations

import random
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from scripts.chaos.load import Needs, Scene
from slipway.supervisor.spec import UnitSpec


@dataclass(frozen=True, slots=True)
class Injection:
    """One disturbance: when it began (monotonic seconds), and what it was.

    ``struck`` is False when it did not come about (a failpoint that was never reached); the round is void then.
    ``kind``: the name of the fault that it is of, where that is not the cell's.
    """

    began_s: float
    note: str
    struck: bool = True
    facts: dict[str, Any] = field(default_factory=dict)
    kind: str = ""


class Fault(Protocol):
    """A way to disturb a running platform; see the package's docstring."""

    @property
    def name(self) -> str:
        """As ``--fault`` names it."""
        ...

    @property
    def brokers(self) -> int:
        """How many Kafka brokers the stack profile runs for it: 1 or 3."""
        ...

    def unsuited(self, needs: Needs, profile: str) -> str | None:
        """Why it can't be had for this load, in words; None: it can."""
        ...

    def around(self, folder: Path) -> AbstractAsyncContextManager[None]:
        """Hold what it needs while the platform lives; ``folder`` is the cell's."""
        ...

    async def adapt(self, unit: UnitSpec) -> UnitSpec:
        """The unit as it has to be started for this fault; what backs the services comes before them."""
        ...

    async def inject(self, scene: Scene, needs: Needs, dice: random.Random) -> Injection:
        """Disturb once, and heal; returns when nothing disturbs any more."""
        ...
