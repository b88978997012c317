"""Choosing and checking the ports of a fleet before anything is started."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from contextlib import suppress

from slipway.errors import Kind, SlipwayError, Unavailable

Ports = dict[str, dict[str, int]]
"""Unit to kind to port."""

# Below the range from which the kernel takes ports for outgoing connections, so that none of those sits on
# a port while its service restarts; above Ray's workers (see ray.worker_range).
_FREE = range(20000, 32000)
_HOST = "127.0.0.1"


class PortTaken(SlipwayError):
    """A port that a unit should listen on is in use."""

    kind = Kind.FAILED_PRECONDITION
    reason = "PORT_TAKEN"


def assign(defaults: Mapping[str, Mapping[str, int]], chosen: Mapping[str, int], *, free: bool) -> Ports:
    """Give every kind of every unit a port: the chosen one, else its default, 0 (or ``free``) a free one.

    Raises :class:`PortTaken` when one is in use, or two share one. The checked ports are closed again: who
    binds them later may still lose a race, and says so itself.
    """
    wanted = {
        f"{unit}.{kind}": chosen.get(f"{unit}.{kind}", 0 if free else port)
        for unit, kinds in defaults.items()
        for kind, port in kinds.items()
    }
    owners: dict[int, str] = {}
    for name, port in wanted.items():
        if port:
            _claim(owners, name, port)
    ports: Ports = {}
    for name, port in wanted.items():
        unit, _, kind = name.partition(".")
        ports.setdefault(unit, {})[kind] = port or _pick(owners, name)
    return ports


def free_port() -> int:
    """A port that a listener could bind now, of those that the kernel gives to no outgoing connection."""
    return _pick({}, "free")


def bindable(port: int) -> bool:
    """Whether a listener could bind ``port`` on loopback now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as listeners do: TIME_WAIT is free
        try:
            attempt.bind((_HOST, port))
            attempt.listen(1)
        except OSError:
            return False
    return True


def _claim(owners: dict[int, str], name: str, port: int) -> None:
    if port in owners:
        raise PortTaken(
            f"port {port} is asked for twice, by {owners[port]} and {name}; move one with --port {name}=N",
            facts={"port": str(port), "listener": name, "owner": owners[port]},
        )
    if not bindable(port):
        unit, _, kind = name.partition(".")
        owner = _listener(port)
        raise PortTaken(
            f"port {port}, the {kind} port of {unit}, can't be bound{f': {owner} has it' if owner else ''}; "
            f"move it with --port {name}=N, or take free ports with --free-ports",
            facts={"port": str(port), "service": unit, "kind": kind, "owner": owner},
        )
    owners[port] = name


def _pick(owners: dict[int, str], name: str) -> int:
    for port in random.SystemRandom().sample(_FREE, 500):
        if port not in owners and bindable(port):
            owners[port] = name
            return port
    raise Unavailable(f"found no free port for {name} from {_FREE.start} to {_FREE.stop - 1}")


def _listener(port: int) -> str:
    """Who listens on ``port``, as far as this user may know; empty when nothing is known."""
    with suppress(ImportError):  # psutil comes with the embedded extra
        import psutil  # noqa: PLC0415

        with suppress(psutil.Error, OSError):
            for one in psutil.net_connections("tcp"):
                if one.status == psutil.CONN_LISTEN and one.laddr[1:] == (port,) and one.pid:
                    command = " ".join(psutil.Process(one.pid).cmdline())
                    return f"pid {one.pid} ({command[:120]})"
    return ""
