"""Where a service of the running embedded profile listens."""

from __future__ import annotations

from pathlib import Path

from slipway.supervisor.proc import alive
from slipway.supervisor.state import read_state


def discover(service: str, kind: str = "grpc", data: Path | None = None) -> str | None:
    """The ``host:port`` of ``service``'s ``kind`` (grpc, http, metrics; tcp, gcs, dashboard of the backing).

    None when no supervisor runs on ``data`` (default: the data root) or it has no such endpoint; the caller
    then falls back to its own default. Reads one small file; dials nothing.
    """
    if data is None:
        from slipway.config.place import data_root  # noqa: PLC0415 (pulls in pydantic; callers want speed)

        data = data_root()
    state = read_state(data)
    if state is None or state.supervisor is None:
        return None
    if not alive(state.supervisor.pid, state.supervisor.started_ticks):
        return None
    for unit in (*state.services, *state.backing):
        if unit.name == service:
            return unit.endpoints.get(kind)
    return None
