"""What is asked when a rollout is to start, and what tells a retry of it from another one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from services.registry.domain.plan import complete
from services.registry.domain.rollout import RolloutKind, RolloutPlan
from slipway.errors import invalid_field
from slipway.naming import request_id, resource_name

_UNSAID = {"kind": RolloutKind.CANARY, "keep_s": 0, "experiment": ""}


@dataclass(frozen=True, slots=True)
class StartRollout:
    """``version`` is to take ``endpoint`` over; ``plan`` is None for the usual one."""

    request_id: str
    endpoint: str
    version: int
    plan: RolloutPlan | None = None
    start_event_time: datetime | None = None


def checked(start: StartRollout) -> tuple[StartRollout, RolloutPlan]:
    """``start`` and its plan, complete. Raises InvalidInput naming the field that is wrong."""
    request_id("request_id", start.request_id)
    resource_name("endpoint", start.endpoint)
    if start.version < 1:
        raise invalid_field("version", "is missing; give the number of a version")
    plan = complete(start.plan)
    return replace(start, plan=plan), plan


def fingerprint(start: StartRollout) -> str:
    """What tells a retried start from another one under the same request id."""
    body = asdict(start)
    # Left out while they say what went without saying before there were such fields.
    for name in ("kind", "keep_s", "experiment"):
        if body["plan"] and body["plan"][name] == _UNSAID[name]:
            del body["plan"][name]
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=datetime.isoformat).encode()).hexdigest()
