"""The gateway that a verb asks, and as whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from slipway.cli import address_option

if TYPE_CHECKING:
    from slipway.client import Slipway

ADDRESS = address_option("inference_gateway")
TOKEN = click.option(
    "--token",
    metavar="TOKEN",
    help="Whose call this is, where the gateway knows tenants. Default: $SLIPWAY_TOKEN, which no process list shows.",
)


def connect(address: str | None, token: str | None) -> Slipway:
    """A client of it."""
    from slipway.client import Slipway  # noqa: PLC0415  (grpc is slow to import)

    return Slipway(gateway=address, token=token)
