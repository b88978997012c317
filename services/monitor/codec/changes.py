"""The events that the monitor publishes."""

from __future__ import annotations

from services.monitor.codec.judged import encode_incident, encode_verdict
from services.monitor.domain.incident import Incident
from services.monitor.domain.verdict import Verdict
from slipway.events import Event
from slipway.gen.slipway.monitor.v1 import events_pb2

INCIDENTS = "monitor.incident.v1"
VERDICTS = "monitor.verdict.v1"
SOURCE = "slipway/monitor"


def incident_changed(incident: Incident) -> Event:
    """An incident was opened, or ended: once each."""
    state = "open" if incident.is_open else "closed"
    value = events_pb2.IncidentChanged(incident=encode_incident(incident)).SerializeToString()
    return Event(
        id=f"{INCIDENTS}/{incident.id}/{state}",
        topic=INCIDENTS,
        key=incident.endpoint,
        type="slipway.monitor.incident",
        source=SOURCE,
        time=incident.close_time or incident.create_time,
        value=value,
    )


def verdict_reached(verdict: Verdict) -> Event:
    """A step of a rollout has its verdict: one."""
    return Event(
        id=f"{VERDICTS}/{verdict.endpoint}/{verdict.rollout_id}/{verdict.step}",
        topic=VERDICTS,
        key=verdict.endpoint,
        type="slipway.monitor.verdict",
        source=SOURCE,
        time=verdict.create_time,
        value=events_pb2.VerdictReached(verdict=encode_verdict(verdict)).SerializeToString(),
    )
