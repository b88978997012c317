"""Steering a proxy from another process: a line of JSON there, a line of JSON back."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from slipway.errors import SlipwayError, Unavailable, invalid_field
from slipway.tcp_proxy.address import host_and_port
from slipway.tcp_proxy.conditions import Conditions, Counters, Direction, End
from slipway.tcp_proxy.proxy import TcpProxy

_TIMEOUT_S = 10.0
_VERBS = "set, partition, heal, reset, half_open, conditions, counters"


def obey(proxy: TcpProxy, asked: Any) -> Any:
    """Do what one line asks and give its answer. Raises InvalidInput."""
    verb = asked.get("do") if isinstance(asked, Mapping) else None
    with_ = asked.get("with") if isinstance(asked, Mapping) else None
    if verb == "set":
        proxy.conditions = Conditions.from_json(with_ or {})
    elif verb == "partition":
        proxy.partition(*_among(with_, ("up", "down")))
    elif verb == "heal":
        proxy.heal()
    elif verb == "reset":
        return proxy.reset()
    elif verb == "half_open":
        return proxy.half_open(*_among([with_] if with_ else [], ("client", "server")))
    elif verb == "counters":
        return asdict(proxy.counters)
    elif verb != "conditions":
        raise invalid_field("do", f"is none of {_VERBS}")
    return asdict(proxy.conditions)


def _among(given: Any, known: tuple[str, ...]) -> Any:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(one in known for one in given):
        raise invalid_field("with", f"must be of {', '.join(known)}")
    return given


async def serve(proxy: TcpProxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the lines of one connection, in their order."""
    try:
        while line := await reader.readline():
            writer.write(json.dumps(_answer(proxy, line)).encode() + b"\n")
            await writer.drain()
    except (OSError, ValueError):
        pass  # whoever asked is gone, or sends lines without an end
    finally:
        writer.close()


def _answer(proxy: TcpProxy, line: bytes) -> Any:
    try:
        return {"done": obey(proxy, json.loads(line))}
    except SlipwayError as error:
        return {"error": error.message}
    except ValueError as error:
        return {"error": f"not JSON: {error}"}


class Control:
    """A proxy's hand in another process. Each call is one connection; ``address`` is where the proxy listens.

    Every call raises Unavailable when the proxy does not answer, InvalidInput for what it refuses.
    """

    def __init__(self, control: str, address: str = "") -> None:
        self._control = host_and_port(control, "control")
        self.address = address

    def set(self, conditions: Conditions) -> None:
        """Let these hold, for open connections too."""
        self._ask("set", asdict(conditions))

    def partition(self, *directions: Direction) -> None:
        """See :meth:`TcpProxy.partition`."""
        self._ask("partition", list(directions))

    def heal(self) -> None:
        """See :meth:`TcpProxy.heal`."""
        self._ask("heal")

    def reset(self) -> int:
        """See :meth:`TcpProxy.reset`."""
        return int(self._ask("reset"))

    def half_open(self, keep: End = "client") -> int:
        """See :meth:`TcpProxy.half_open`."""
        return int(self._ask("half_open", keep))

    def conditions(self) -> Conditions:
        """What holds now."""
        return Conditions.from_json(self._ask("conditions"))

    def counters(self) -> Counters:
        """What was seen until now."""
        return Counters(**self._ask("counters"))

    def _ask(self, verb: str, with_: Any = None) -> Any:
        try:
            with socket.create_connection(self._control, timeout=_TIMEOUT_S) as held, held.makefile("rwb") as stream:
                stream.write(json.dumps({"do": verb, "with": with_}).encode() + b"\n")
                stream.flush()
                answer = json.loads(stream.readline())
        except (OSError, ValueError) as error:
            raise Unavailable(f"the proxy at {self._control[0]}:{self._control[1]} does not answer") from error
        if "error" in answer:
            raise invalid_field(verb, answer["error"])
        return answer["done"]
