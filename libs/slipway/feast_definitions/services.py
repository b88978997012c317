"""Feast's feature services in the catalogue's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slipway.feast_definitions.refusals import Refusals


def compile_service(service: Any, views: Mapping[str, Sequence[str]], refusals: Refusals) -> dict[str, Any]:
    """One feature service as a document; ``views`` has the features of each view."""
    where = f"services.{service.name}"
    if not service.owner:
        refusals.add(f"{where}.owner", "is empty; name the person or team that answers for it")
    projections = iter(service.feature_view_projections)
    features: list[str] = []
    for one in service._features:  # noqa: SLF001  (in Feast, a registry resolves the texts among them)
        if isinstance(one, str):
            features += _referred(one, views, where, refusals)
        else:
            features += _projected(next(projections), views, where, refusals)
    return {
        "name": service.name,
        "owner": service.owner,
        "description": service.description,
        "features": features,
    }


def _projected(one: Any, views: Mapping[str, Sequence[str]], where: str, refusals: Refusals) -> Iterator[str]:
    if one.name_alias:
        refusals.add(f"{where}.{one.name}", f"is renamed to {one.name_alias}; features are read by their view's name")
    if one.join_key_map:
        refusals.add(f"{where}.{one.name}", "is found by other join keys; define a view with these entities")
    if one.version_tag is not None:
        refusals.add(f"{where}.{one.name}", f"is pinned to version {one.version_tag}; the catalogue keeps the newest")
    if one.name not in views:
        refusals.add(f"{where}.{one.name}", "is no view that was compiled")
        return
    # Before inference Feast knows no features of a view without a schema: then all are meant.
    names = one.desired_features or [field.name for field in one.features] or views[one.name]
    yield from _known(one.name, names, views, where, refusals)


def _referred(text: str, views: Mapping[str, Sequence[str]], where: str, refusals: Refusals) -> Iterator[str]:
    view, _, feature = text.partition(":")
    if "@" in view:
        refusals.add(f"{where}.{view}", "is pinned to a version; the catalogue keeps the newest")
    elif view not in views:
        refusals.add(f"{where}.{view}", "is no view that was compiled")
    else:
        yield from _known(view, [feature] if feature else views[view], views, where, refusals)


def _known(
    view: str, names: Sequence[str], views: Mapping[str, Sequence[str]], where: str, refusals: Refusals
) -> Iterator[str]:
    for name in names:
        if name not in views[view]:
            refusals.add(f"{where}.{view}:{name}", "is no feature of its view")
        yield f"{view}:{name}"
