"""Where the service is that a verb asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def address_option(service: str) -> Callable[[F], F]:
    """Add ``--address`` to a command, as its argument ``address``; ``service`` as in ``SLIPWAY_<SERVICE>_ADDRESS``."""
    return click.option(
        "--address",
        metavar="HOST:PORT",
        help=f"Where the service is. Default: $SLIPWAY_{service.upper()}_ADDRESS, else where `slipway up` runs it.",
    )
