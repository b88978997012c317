"""What an endpoint should have been from one change to the next, and what changed it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from services.registry.domain.endpoint import EndpointSpec
from services.registry.domain.fallback import DefaultAnswer

MAX_KEPT = 1_000


class Cause(enum.StrEnum):
    """What makes a revision."""

    PUT = "PUT"
    ALIAS = "ALIAS"
    ROLLOUT = "ROLLOUT"
    ROLLBACK = "ROLLBACK"
    GUARDRAIL = "GUARDRAIL"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Why:
    """The cause of a revision, its reason for people, and the rollout that it belongs to."""

    cause: Cause
    reason: str = ""
    rollout_id: str = ""


@dataclass(frozen=True, slots=True)
class EndpointRevision:
    """One of the last ``MAX_KEPT`` revisions of an endpoint; ``spec`` is None when it was deleted then."""

    endpoint: str
    revision: int
    spec: EndpointSpec | None
    why: Why
    time: datetime

    @property
    def carried_bytes(self) -> int:
        """About how many bytes a message carries it in; never fewer."""
        held = 2_000 + 4 * len(self.why.reason)
        if self.spec is None:
            return held
        held += 600 * len(self.spec.routes) + 150 * len(self.spec.sticky_by)
        held += 150 * len(self.spec.experiment.arms) if self.spec.experiment else 0
        return held + (self.spec.fallback.carried_bytes if isinstance(self.spec.fallback, DefaultAnswer) else 0)
