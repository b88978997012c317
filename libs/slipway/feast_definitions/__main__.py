"""``python -m slipway.feast_definitions REPO OUTPUT``: see the package."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from slipway.feast_definitions.refusals import Refusals, Refused
from slipway.feast_definitions.repository import load
from slipway.feast_definitions.services import compile_service
from slipway.feast_definitions.views import compile_view


def main() -> int:
    """Compile, and say by the exit status how it went: 0, or 2 with refusals."""
    repository, output = (Path(one).resolve() for one in sys.argv[1:])
    try:
        document, status = compile_repository(load(repository)), 0
    except Refused as error:
        document, status = {"refusals": [asdict(one) for one in error.refusals]}, 2
    output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return status


def compile_repository(repository: Any) -> dict[str, Any]:
    """Feast's RepoContents as one document, views and services in order of name. Raises Refused."""
    refusals = Refusals()
    for kind in ("stream_feature_views", "on_demand_feature_views", "label_views"):
        for one in getattr(repository, kind):
            described = type(one).__name__
            refusals.add(f"views.{one.name}", f"is a {described}; make it a FeatureView or a BatchFeatureView")
    entities = {one.name: one for one in repository.entities}
    views = [compile_view(one, entities, refusals) for one in sorted(repository.feature_views, key=_name)]
    known = {view["name"]: [one["name"] for one in view["features"]] for view in views}
    services = [compile_service(one, known, refusals) for one in sorted(repository.feature_services, key=_name)]
    if not views and not services:
        refusals.add("views", "are none in the repository; define a FeatureView at the top of a module")
    refusals.check()
    return {"views": views, "services": services}


def _name(one: Any) -> str:
    return str(one.name)


if __name__ == "__main__":
    sys.exit(main())
