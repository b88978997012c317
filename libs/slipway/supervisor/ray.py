"""The Ray head: loopback only, with a token, its sockets in a short folder, nothing left when it ends."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from slipway.errors import SlipwayError
from slipway.failpoints import hit
from slipway.supervisor.health import http_ok
from slipway.supervisor.redis import NotInstalled
from slipway.supervisor.spec import UnitSpec

# A Unix socket's path holds 107 bytes, of which Ray's own names below its folder take up to 70.
_LONGEST_FOLDER = 37
_WORKER_RANGES = ((10002, 19999), (32001, 39999), (40000, 47999), (2000, 7999))


def ray_unit(
    command: str,
    data: Path,
    *,
    ports: Mapping[str, int],
    taken: Iterable[int],
    env: Mapping[str, str],
    log: Path,
) -> UnitSpec:
    """The Ray head on ``ports`` (gcs, dashboard, agent), its workers' ports clear of ``taken``."""
    folder = session_folder(data)
    endpoints = {kind: f"127.0.0.1:{port}" for kind, port in ports.items()}
    low, high = worker_range([*taken, *ports.values()])
    options = {
        "--node-ip-address": "127.0.0.1",
        "--port": str(ports["gcs"]),
        "--include-dashboard": "true",
        "--dashboard-host": "127.0.0.1",
        "--dashboard-port": str(ports["dashboard"]),
        "--dashboard-agent-listen-port": str(ports["agent"]),
        "--min-worker-port": str(low),
        "--max-worker-port": str(high),
        "--temp-dir": str(folder),
    }
    words = (word for pair in options.items() for word in pair)
    return UnitSpec(
        name="ray",
        command=(command, "start", "--head", "--block", "--disable-usage-stats", *words),
        env={**env, **_HEAD_ENVIRONMENT, **client_environment(token_file(data), ports)},
        endpoints=endpoints,
        probe=http_ok((endpoints["dashboard"], "/api/gcs_healthz"), (endpoints["agent"], "/api/local_raylet_healthz")),
        log=log,
        before=lambda: _fresh(folder),
        after=lambda: shutil.rmtree(folder, ignore_errors=True),
    )


_HEAD_ENVIRONMENT = {
    # Without it Ray replaces 127.0.0.1 by the machine's address and listens on every interface.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "10",
    # Its workers rename themselves; their environment, by which they are found and ended, shall survive that.
    "SPT_NOENV": "1",
}


def client_environment(token: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """What a process needs to speak to this head."""
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "SLIPWAY_RAY_ADDRESS": f"127.0.0.1:{ports['gcs']}",
        "SLIPWAY_RAY_JOBS": f"http://127.0.0.1:{ports['dashboard']}",
    }


def token_file(data: Path) -> Path:
    """The file with the cluster's token, made (0600) when it is not there."""
    path = data / "ray" / "token"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.is_file():
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secrets.token_hex(32))
        hit("supervisor.secret.before")
        draft.replace(path)
        hit("supervisor.secret.after")
    return path


def worker_range(taken: Iterable[int]) -> tuple[int, int]:
    """A range of ports for Ray's workers that holds none of ``taken``."""
    ours = set(taken)
    for low, high in _WORKER_RANGES:
        if not any(low <= port <= high for port in ours):
            return low, high
    raise RayMisplaced(f"ports {sorted(ours)} leave Ray's workers no range; move some with --port")


def session_folder(data: Path) -> Path:
    """Where this data root's Ray keeps sockets and session logs. Raises :class:`RayMisplaced`."""
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:10]
    folder = Path(tempfile.gettempdir()) / f"slipway-{digest}"
    if len(os.fsencode(folder)) > _LONGEST_FOLDER:
        raise RayMisplaced(f"TMPDIR: {folder.parent} is too long for Ray's sockets; set TMPDIR to a shorter one")
    return folder


class RayMisplaced(SlipwayError):
    """Ray's sockets or workers have no room where they are told to be."""

    reason = "RAY_MISPLACED"


def require_ray() -> None:
    """Raises :class:`slipway.supervisor.redis.NotInstalled` when Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise NotInstalled(
            "Ray is not installed; install slipway's extra 'embedded', or leave it out with --without ray"
        )


def _fresh(folder: Path) -> None:
    """An empty folder of our own: in a shared temporary folder another user may have made it first."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError as error:
        raise RayMisplaced(f"{folder} can't be emptied and is not safe to use; remove it") from error
