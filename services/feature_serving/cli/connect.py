"""How the verbs reach a running feature store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.cli import address_option

if TYPE_CHECKING:
    from slipway.client import Slipway

ADDRESS = address_option("feature_serving")


def connect(address: str | None) -> Slipway:
    """The feature store at ``address``; None for the one that runs here."""
    from slipway.client import Slipway  # noqa: PLC0415  (brings gRPC; the other verbs do without)

    return Slipway(features=address)
