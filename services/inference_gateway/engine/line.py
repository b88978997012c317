"""What waits at one endpoint to be taken in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from services.inference_gateway.domain.fair_queue import FairQueue
from services.inference_gateway.engine.ask import Ask
from services.inference_gateway.engine.gathering import Gathering


class Line:
    """Requests that wait, how many are ``open``, and how many waves are ``reading``, which wait for their features.

    Each has a gathering of its own: a crowd at one endpoint makes nobody wait at another.
    """

    def __init__(self, name: str, queue: FairQueue[Ask], begin: Callable[[Line], None], gather_s: float) -> None:
        self.name = name
        self.queue = queue
        self.gathering = Gathering(partial(begin, self), gather_s)
        self.open = 0
        self.reading = 0

    def leave(self, requests: int) -> None:
        """So many were answered, or gave up."""
        self.open -= requests
        self.gathering.left(self.open)
