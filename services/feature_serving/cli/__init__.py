"""`slipway-features`: the operator's command.

Here are the verbs of the process; `catalogue`, `online` and `training_sets` hold those that ask a running feature
store, `compiler` and `definitions` read what is defined, `rows` what is typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.feature_serving.cli import catalogue, online
from services.feature_serving.cli.training_sets import training_set
from services.feature_serving.config import FeatureServingConfig
from slipway.cli import ServiceCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from slipway.sql import Migrations


def _serve() -> Callable[[FeatureServingConfig], Coroutine[Any, Any, None]]:
    from services.feature_serving.main import serve  # noqa: PLC0415  (heavy; only serving needs it)

    return serve


def _tables(config: FeatureServingConfig) -> tuple[str, Migrations]:
    from services.feature_serving.adapters.sql import MIGRATIONS  # noqa: PLC0415

    return config.database, MIGRATIONS


main = ServiceCommand(
    "slipway-features",
    help="The feature catalogue, and feature values online.",
    config=FeatureServingConfig,
    serve=_serve,
    tables=_tables,
).group()

for command in (*catalogue.VERBS, *online.VERBS, training_set):
    main.add_command(command)
