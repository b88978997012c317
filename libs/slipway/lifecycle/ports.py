"""Ports that can't be had, told alike whoever asks for them."""

from __future__ import annotations

import errno
import socket

from slipway.errors import Kind, SlipwayError


class PortTaken(SlipwayError):
    """The address can't be listened on, mostly because another process does; trying again does not help.

    ``what`` the process wanted to do there and the configuration ``key`` that moves it are told.
    """

    kind = Kind.FAILED_PRECONDITION
    reason = "PORT_TAKEN"

    def __init__(self, what: str, address: str, key: str, cause: OSError | None = None) -> None:
        told = "the port is taken; end the process that holds it, or"
        if cause is not None and cause.errno != errno.EADDRINUSE:
            told = f"{cause.strerror};"
        super().__init__(
            f"can't {what} on {address}: {told} move this one by {key} in its configuration",
            facts={"address": address, "key": key},
        )


def require_free(what: str, address: str, key: str) -> None:
    """Raise PortTaken unless a listener could bind ``host:port`` now.

    For servers that tell of a port in use by noise of their own; who binds it in between is still told by them.
    """
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as listeners do: TIME_WAIT is free
            probe.bind(place)
            probe.listen(1)
    except OSError as error:
        raise PortTaken(what, address, key, error) from error
