"""The error of a process whose port somebody else holds."""

from __future__ import annotations

from slipway.errors import Kind, SlipwayError


class PortTaken(SlipwayError):
    """Another process listens on the address; trying again does not help until somebody moves."""

    kind = Kind.FAILED_PRECONDITION
    reason = "PORT_TAKEN"

    def __init__(self, what: str, address: str, key: str) -> None:
        super().__init__(
            f"can't {what} on {address}: the port is taken; end the process that holds it, "
            f"or move this one by {key} in its configuration",
            facts={"address": address, "key": key},
        )
