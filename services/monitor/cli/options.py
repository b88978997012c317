"""Options that several verbs share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from slipway.cli import address_option

if TYPE_CHECKING:
    from slipway.client import Slipway


def _moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no moment; write 2013-01-05 or 2013-01-05T10:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


ENDPOINT = click.option("--endpoint", metavar="NAME", help="Only this endpoint's; without it all of them.")
THIS_ENDPOINT = click.option("--endpoint", metavar="NAME", required=True, help="The endpoint.")
SINCE = click.option(
    "--since", metavar="TIME", callback=_moment, help="Only windows that start at or after this event time (UTC)."
)
UNTIL = click.option(
    "--until", metavar="TIME", callback=_moment, help="Only windows that start before this event time (UTC)."
)
ADDRESS = address_option("monitor")


def client(address: str | None) -> Slipway:
    """The client of the monitor at ``address``."""
    from slipway.client import Slipway  # noqa: PLC0415  (brings gRPC; the other verbs do without)

    return Slipway(monitor=address)
