"""What tests of revisions need to know of them, and a way into a database by any driver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import Connection, create_engine

from services.feature_serving.adapters.sql import MIGRATIONS as FEATURES
from services.monitor.adapters.sql import MIGRATIONS as MONITOR
from services.registry.adapters.sql import MIGRATIONS as REGISTRY
from services.training_scheduler.adapters.sql import MIGRATIONS as TRAINING
from slipway.sql import Migrations

MakeAged = Callable[[Migrations, str], str]
SERVICES = {"registry": REGISTRY, "feature_serving": FEATURES, "training_scheduler": TRAINING, "monitor": MONITOR}


def versions_of(migrations: Migrations) -> dict[str, Path]:
    """The files of the revisions by their names, oldest first: they are numbered."""
    spec = find_spec(migrations.package)
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "versions"
    return {file.name.partition("_")[0]: file for file in sorted(folder.glob("[0-9]*.py"))}


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """One transaction on the database, by whichever driver."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
