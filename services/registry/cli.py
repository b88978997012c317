"""`slipway-registry`: the operator's command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.registry.config import RegistryConfig
from slipway.cli import ServiceCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from slipway.sql import Migrations


def _serve() -> Callable[[RegistryConfig], Coroutine[Any, Any, None]]:
    from services.registry.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


def _tables(config: RegistryConfig) -> tuple[str, Migrations]:
    from services.registry.adapters.sql import MIGRATIONS  # noqa: PLC0415

    return config.database, MIGRATIONS


main = ServiceCommand(
    "slipway-registry",
    help="Models, versions, aliases, artifacts, and what each endpoint should serve.",
    config=RegistryConfig,
    serve=_serve,
    tables=_tables,
).group()
