"""`slipway-registry`: the operator's command.

Here are the verbs of the process; `models`, `endpoints` and `rollouts` hold those that ask a running registry, `values`
reads what is typed and `render` says what comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.registry.cli import endpoints, models, rollouts
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

for command in (*models.VERBS, *endpoints.VERBS, *rollouts.VERBS):
    main.add_command(command)
