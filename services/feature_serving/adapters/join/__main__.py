"""One job from stdin, one answer on stdout."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from services.feature_serving.adapters.join.found import Found, Values
from services.feature_serving.adapters.join.job import Job, Unusable
from services.feature_serving.adapters.join.keys import number_entities
from services.feature_serving.adapters.join.latest import latest_values
from services.feature_serving.adapters.join.output import write
from services.feature_serving.adapters.join.source import Opened, open_source
from services.feature_serving.adapters.join.spine import Spine, read_spine
from services.feature_serving.adapters.join.windows import window_values
from services.feature_serving.domain.recipe import Recipe, column_name

_log = logging.getLogger(__name__)


def make(job: Job) -> dict[str, Any]:
    """Write the set and tell about it. Raises Unusable."""
    pa.set_cpu_count(job.threads)
    recipe = job.recipe
    spine = read_spine(job.spine, recipe)
    values: dict[str, Values] = {}
    fallbacks: dict[str, int] = {}
    inputs = []
    with duckdb.connect(config=_settings(job)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for ingredient in recipe.ingredients:
            opened = open_source(connection, job.sources, ingredient)
            columns, taken = _found(connection, job, spine, opened).as_read(ingredient)
            values |= {f"{ingredient.view}:{name}": column for name, column in columns.items()}
            fallbacks |= {f"{ingredient.view}:{name}": count for name, count in taken.items()}
            inputs.append(
                {
                    "view": ingredient.view,
                    "view_revision": ingredient.revision,
                    "path": ingredient.path,
                    "digest": ingredient.digest,
                    "row_count": opened.row_count,
                }
            )
    table = write(job.output, recipe, spine, values)
    return {
        "row_count": table.num_rows,
        "rows_after_cutoff": spine.rows_after_cutoff,
        "columns": _columns(table, recipe, fallbacks),
        "inputs": inputs,
    }


def _columns(table: pa.Table, recipe: Recipe, fallbacks: Mapping[str, int]) -> list[dict[str, Any]]:
    features = {column_name(feature): feature for feature in recipe.features}
    return [
        {
            "name": name,
            "feature": (feature := features.get(name, "")),
            "null_count": table.column(n).null_count,
            "fallback_count": fallbacks.get(feature, 0),
        }
        for n, name in enumerate(table.column_names)
    ]


def _found(connection: duckdb.DuckDBPyConnection, job: Job, spine: Spine, opened: Opened) -> Found:
    view = opened.ingredient.view
    try:
        keyed = number_entities(connection, spine, opened)
        if opened.ingredient.windows:
            return window_values(connection, spine, opened, keyed)
        return latest_values(connection, spine, opened, keyed, job.recipe.cutoff_us)
    except duckdb.ConversionException as error:
        _log.exception("a value does not fit")
        raise Unusable(
            f"the source of view {view} holds a value that does not fit the type of its feature or entity; "
            "give the feature a wider type, or mend the source"
        ) from error
    except duckdb.OutOfMemoryException as error:
        raise Unusable(
            f"the join of view {view} needs more than {job.memory_mib} MiB; raise training_sets.memory_mib of feature "
            "serving, or ask with a smaller spine"
        ) from error


def _settings(job: Job) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": job.threads,
        "memory_limit": f"{job.memory_mib}MiB",
        "temp_directory": str(job.spill),
        # Nothing is fetched, loaded or installed: the job names all that there is.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


def main() -> None:
    """Read, make, tell. An error of ours ends with a traceback on stderr and status 1."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    job = Job.read(json.load(sys.stdin))
    try:
        answer = make(job)
    except Unusable as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
