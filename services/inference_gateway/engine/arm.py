"""An arm that answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.inference_gateway.domain.desired import Route
from services.inference_gateway.domain.errors import VersionNotServed
from services.inference_gateway.engine.runner import Runner


@dataclass(frozen=True, slots=True)
class Arm:
    """A route that answers: its version is loaded."""

    route: Route
    runner: Runner


def named(endpoint: str, arms: Sequence[Arm], version: str) -> Sequence[Arm]:
    """The arms of the version that a caller named, or all of them. Raises VersionNotServed."""
    if not version:
        return arms
    found = [arm for arm in arms if str(arm.route.version.number) == version]
    if not found:
        raise VersionNotServed(endpoint, version, [arm.route.version.number for arm in arms])
    return found
