"""When a gateway takes an arm to zero by itself: its batches fail, or its version can't be loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from services.inference_gateway.domain.desired import Endpoint, Route, VersionKey
from services.inference_gateway.domain.signature import FLOATS, Signature, Tensors

_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Guardrails:
    """What is borne: a share of failures among an arm's last ``batches``, and tries to load its version."""

    batches: int
    error_share: float
    load_attempts: int


@dataclass(frozen=True, slots=True)
class Disabled:
    """An arm that this gateway took to zero, at a revision of its endpoint: it stays so until the next one."""

    endpoint: str
    route: str
    version: VersionKey
    revision: int
    reason: str
    time: datetime


Outcomes = Sequence[str]
"""An arm's last batches, oldest first: why each failed, empty for one that did not."""


def why_broken(endpoint: Endpoint, arm: str, outcomes: Mapping[str, Outcomes], rails: Guardrails) -> str:
    """Why an arm must take nothing more; empty while it may go on.

    An arm that answers is only taken out when another one, of which it is known that it answers, takes its rows:
    what fails everywhere is no arm's fault, and the last arm with weight stays.
    """
    mine = outcomes.get(arm, ())
    route = next((one for one in endpoint.routes if one.name == arm), None)
    if route is None or len(mine) < rails.batches or not _fails(mine, rails):
        return ""
    if not route.weight and not route.shadow:
        return ""
    if route.weight:
        others = [outcomes.get(one.name, ()) for one in endpoint.routes if one.weight and one.name != arm]
        if not any(other and not _fails(other, rails) for other in others):
            return ""
    failed = [why for why in mine if why]
    return f"{len(failed)} of its last {len(mine)} batches failed: {failed[-1][:_SHOWN]}"


def _fails(outcomes: Outcomes, rails: Guardrails) -> bool:
    return sum(1 for why in outcomes if why) > rails.error_share * len(outcomes)


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
            if np.isfinite(outputs[spec.name]).any():
                return ""
            return f"output {spec.name!r} holds no finite number in any row"
    return ""
