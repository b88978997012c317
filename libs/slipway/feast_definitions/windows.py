"""Feast's aggregations in the catalogue's words.

Feast names the output of an aggregation by its ``name``, else ``{function}_{column}_{seconds}s``; so does the
catalogue. The hop is Feast's ``slide_interval``, one for all aggregations of a view.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from feast import Field
from feast.types import Float64, Int64

from slipway.feast_definitions.refusals import Refusals

_FUNCTIONS = {
    "count": "count",
    "sum": "sum",
    "mean": "mean",
    "avg": "mean",
    "min": "min",
    "max": "max",
    "stddev_pop": "stddev",
}
_ADVICE = dict.fromkeys(("std", "stddev", "stddev_samp"), "is over a sample; write stddev_pop")


def windowed_features(view: Any, windows: Sequence[Any], where: str, refusals: Refusals) -> list[Field]:
    """The features that ``windows`` make, in their order.

    Types, descriptions and tags are those of the view's schema, which names each output or none at all: then counts are
    64-bit integers and all else doubles, as the catalogue wants them.
    """
    schema = {field.name: field for field in view.features}
    names = [one.resolved_name(one.time_window) for one in windows]
    for name in sorted({name for name in names if names.count(name) > 1}):
        refusals.add(f"{where}.{name}", "is the output of two aggregations; give each a name")
    if not schema:
        return [
            Field(name=name, dtype=Int64 if one.function == "count" else Float64)
            for name, one in zip(names, windows, strict=True)
        ]
    for name in schema.keys() - set(names):
        refusals.add(f"{where}.schema.{name}", "is the output of no aggregation; a windowed view holds nothing else")
    for name in set(names) - schema.keys():
        refusals.add(f"{where}.schema", f"lacks {name}, which an aggregation makes; add it, or leave out the schema")
    return [schema[name] for name in names if name in schema]


def aggregations(windows: Sequence[Any], where: str, refusals: Refusals) -> dict[str, Any]:
    """The aggregations and their hop."""
    return {
        "aggregations": [_aggregation(one, where, refusals) for one in windows],
        "hop_s": _hop(windows, where, refusals),
    }


def _aggregation(one: Any, where: str, refusals: Refusals) -> dict[str, Any]:
    name = one.resolved_name(one.time_window)
    where = f"{where}.{name}"
    if not one.column:
        refusals.add(where, "reads no column; name one")
    if one.function not in _FUNCTIONS:
        known = f"is none of {', '.join(_FUNCTIONS)}"
        refusals.add(where, f"function {one.function} {_ADVICE.get(one.function, known)}")
    if not one.time_window:
        refusals.add(where, "has no time_window; say how far it looks back")
    window = one.time_window or timedelta(0)
    function = _FUNCTIONS.get(one.function, "")
    return {"feature": name, "column": one.column, "function": function, "window_s": seconds(window)}


def _hop(windows: Sequence[Any], where: str, refusals: Refusals) -> float:
    hops = {one.slide_interval for one in windows if one.slide_interval}
    if len(hops) > 1:
        told = ", ".join(str(one) for one in sorted(hops))
        refusals.add(
            f"{where}.slide_interval", f"differs ({told}); give all aggregations of the view one, such as an hour"
        )
    hop: timedelta = max(hops, default=timedelta(0))
    return seconds(hop)


def seconds(span: timedelta) -> float:
    """Whole seconds as a whole number, so that they are read as one."""
    told = span.total_seconds()
    return int(told) if told.is_integer() else told
