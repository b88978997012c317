"""What the monitor and the gateways say of rollouts, as it comes from the log."""

from __future__ import annotations

from google.protobuf.message import DecodeError

from services.registry.domain.rollout import ArmDisabled, Decision, Verdict
from slipway.errors import invalid_field
from slipway.events import Event
from slipway.gen.slipway.inference.v1 import events_pb2 as inference_events_pb2
from slipway.gen.slipway.monitor.v1 import events_pb2 as monitor_events_pb2
from slipway.gen.slipway.monitor.v1 import resources_pb2

_DECISIONS: dict[int, Decision] = {resources_pb2.Decision.Value(f"DECISION_{one}"): one for one in Decision}
# Reasons are for people; a longer one would make the endpoint's own event too large.
_MOST_REASON = 2_000


def decode_verdict(event: Event) -> Verdict:
    """A verdict. Raises InvalidInput saying why the event holds none that can be acted on."""
    try:
        verdict = monitor_events_pb2.VerdictReached.FromString(event.value).verdict
    except DecodeError:
        raise invalid_field("value", f"{len(event.value)} bytes are not a slipway.monitor.v1.VerdictReached") from None
    _require("verdict", endpoint=verdict.endpoint, rollout_id=verdict.rollout_id)
    if verdict.decision not in _DECISIONS:
        raise invalid_field("verdict.decision", f"{verdict.decision} is not known; give one of {', '.join(Decision)}")
    decision = _DECISIONS[verdict.decision]
    reason = verdict.reason[:_MOST_REASON].replace("\0", "")
    return Verdict(verdict.endpoint, verdict.rollout_id, verdict.step, decision, reason, verdict.labels)


def decode_disabled(event: Event) -> ArmDisabled:
    """An arm that a gateway took to zero. Raises InvalidInput saying why the event tells of none."""
    try:
        disabled = inference_events_pb2.ArmDisabled.FromString(event.value)
    except DecodeError:
        raise invalid_field("value", f"{len(event.value)} bytes are not a slipway.inference.v1.ArmDisabled") from None
    _require("arm", endpoint=disabled.endpoint, model=disabled.model)
    if disabled.version < 1:
        raise invalid_field("arm.version", "is missing; give the version that the arm served")
    return ArmDisabled(
        disabled.endpoint,
        disabled.route,
        disabled.model,
        disabled.version,
        disabled.revision,
        disabled.reason[:_MOST_REASON].replace("\0", "")
        or "a gateway took the candidate's arm to zero and gave no reason",
    )


def _require(of: str, **texts: str) -> None:
    for name, text in texts.items():
        if not text:
            raise invalid_field(f"{of}.{name}", "is empty; name it")
