"""When a gateway takes an arm to zero by itself: its batches fail or are slow, or its version can't be loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from math import isfinite

import numpy as np

from services.inference_gateway.domain.desired import Endpoint, Limits, Route, VersionKey
from services.inference_gateway.domain.signature import FLOATS, Signature, Tensors
from services.inference_gateway.domain.window import Window

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Guardrails:
    """What is borne: a share of failures among an arm's last ``batches``, and tries to load its version.

    And ``p99_s`` at the 99th percentile of its rows, None for any time. Nothing is decided before ``least`` batches, 0
    for all of them.
    """

    batches: int
    error_share: float
    load_attempts: int
    p99_s: float | None = None
    least: int = 0

    def under(self, limits: Limits) -> Guardrails:
        """These, less what an endpoint limits by itself."""
        if limits == Limits():
            return self
        return replace(
            self,
            batches=limits.window or self.batches,
            error_share=self.error_share if limits.error_share is None else limits.error_share,
            p99_s=limits.p99_s,
            least=limits.least,
        )

    def window(self) -> Window:
        """An arm's, empty."""
        return Window(self.batches, self.p99_s)

    @property
    def enough(self) -> int:
        """Batches before which nothing is decided."""
        return self.least or self.batches


@dataclass(frozen=True, slots=True)
class Disabled:
    """An arm that this gateway took to zero, at a revision of its endpoint: it stays so until the next one."""

    endpoint: str
    route: str
    version: VersionKey
    revision: int
    reason: str
    time: datetime


Windows = Mapping[str, Window]
"""How each arm of an endpoint did, by its name."""


def why_broken(endpoint: Endpoint, arm: str, windows: Windows, rails: Guardrails) -> str:
    """Why an arm must take nothing more; empty while it may go on.

    An arm that answers is only taken out when another one, of which it is known that it does better, takes its rows:
    what goes wrong everywhere is no arm's fault, and the last arm with weight stays.
    """
    mine = windows.get(arm)
    route = next((one for one in endpoint.routes if one.name == arm), None)
    if mine is None or route is None or not (route.weight or route.shadow):
        return ""
    others = [windows[one.name] for one in endpoint.routes if one.weight and one.name in windows and one.name != arm]
    return _why_failing(route, mine, others, rails) or _why_slow(route, mine, others, rails)


def _why_failing(route: Route, mine: Window, others: Sequence[Window], rails: Guardrails) -> str:
    if len(mine) < rails.enough or not mine.fails(rails.error_share):
        return ""
    if route.weight and not any(len(other) and not other.fails(rails.error_share) for other in others):
        return ""
    failed, last = mine.failures()
    return f"{failed} of its last {len(mine)} batches failed: {last[:_SHOWN]}"


def _why_slow(route: Route, mine: Window, others: Sequence[Window], rails: Guardrails) -> str:
    """Nobody waits for a shadow, and of an arm with too few batches nothing is known: neither is slow nor quick."""
    if rails.p99_s is None or not route.weight or mine.timed < rails.enough or not mine.slow:
        return ""
    if not any(other.timed >= rails.enough and not other.slow for other in others):
        return ""
    told = f"{round(mine.p99_s() * 1e3, 1):g} ms, and {round(rails.p99_s * 1e3, 3):g} are borne"
    return f"the 99th percentile of its last {mine.timed} batches is {told}"


def unloadable(
    endpoint: Endpoint, attempts: Mapping[VersionKey, int], loaded: Set[VersionKey], rails: Guardrails
) -> Iterator[Route]:
    """The arms whose version failed to load so often that the others go on without: those must be loaded."""
    ready: Collection[str] = {one.name for one in endpoint.routes if one.weight and one.version in loaded}
    for route in endpoint.routes:
        if route.version in loaded or attempts.get(route.version, 0) < rails.load_attempts:
            continue
        if ready if route.weight else route.shadow:
            yield route


def why_unsound(signature: Signature, outputs: Tensors) -> str:
    """Why outputs are no answer although the model gave them: nothing of the first numbers it gives is finite."""
    for spec in signature.outputs:
        if spec.datatype in FLOATS:
            given = outputs[spec.name]
            # Where the first number is one, which is nearly always, no other is looked at.
            if (given.size and isfinite(given.item(0))) or np.isfinite(given).any():
                return ""
            return f"output {spec.name!r} holds no finite number in any row"
    return ""
