"""Where a service of the platform that runs here listens, and where its events are."""

from __future__ import annotations

from pathlib import Path

from slipway.supervisor.proc import alive
from slipway.supervisor.state import State, read_state


def discover(service: str, kind: str = "grpc", data: Path | None = None) -> str | None:
    """The ``host:port`` of ``service``'s ``kind`` (grpc, http, metrics; tcp, gcs, dashboard of the backing).

    None when no supervisor runs on ``data`` (default: the data root) or it has no such endpoint; the caller
    then falls back to its own default. Reads one small file; dials nothing.
    """
    state = _running(data)
    for unit in (*state.services, *state.backing) if state else ():
        if unit.name == service:
            return unit.endpoints.get(kind)
    return None


def discover_events(data: Path | None = None) -> str | None:
    """The URL of the event log that the services on ``data`` share; None when no supervisor runs there."""
    state = _running(data)
    return state.events or None if state else None


def _running(data: Path | None) -> State | None:
    if data is None:
        from slipway.config.place import data_root  # noqa: PLC0415 (pulls in pydantic; callers want speed)

        data = data_root()
    state = read_state(data)
    if state is None or state.supervisor is None:
        return None
    return state if alive(state.supervisor.pid, state.supervisor.started_ticks) else None
