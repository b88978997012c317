"""Between rollouts, alias moves and baselines, and rows of the registry's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Row

from services.registry.domain.baseline import Baseline, FeatureBaseline, PerformanceBaseline
from services.registry.domain.history import AliasMove
from services.registry.domain.rollout import Rollout, RolloutKind, RolloutPlan, RolloutState, RolloutStep

_ROLLOUT = [field.name for field in fields(Rollout)]
_MOVE = [field.name for field in fields(AliasMove)]


def rollout_columns(rollout: Rollout) -> dict[str, Any]:
    """The columns of a rollout."""
    return {name: getattr(rollout, name) for name in _ROLLOUT} | {
        "plan": asdict(rollout.plan),
        "state": rollout.state.value,
    }


def rollout_of(row: Row[Any]) -> Rollout:
    """A rollout."""
    told = {name: getattr(row, name) for name in _ROLLOUT}
    return Rollout(
        **told
        | {
            "plan": _plan_of(row.plan),
            "state": RolloutState(row.state),
        }
    )


def _plan_of(stored: Mapping[str, Any]) -> RolloutPlan:
    steps = tuple(RolloutStep(**step) for step in stored["steps"])
    # Plans that were stored before there were kinds are canaries.
    kind = RolloutKind(stored.get("kind", RolloutKind.CANARY))
    return RolloutPlan(**{**stored, "steps": steps, "kind": kind})


def move_columns(move: AliasMove) -> dict[str, Any]:
    """The columns of an alias's move."""
    return asdict(move)


def move_of(row: Row[Any]) -> AliasMove:
    """An alias's move."""
    return AliasMove(**{name: getattr(row, name) for name in _MOVE})


def baseline_of(stored: Mapping[str, Any] | None) -> Baseline | None:
    """A baseline out of the JSON that it was stored as."""
    if stored is None:
        return None
    performance = stored["performance"]
    return Baseline(
        features=tuple(_feature_of(feature) for feature in stored["features"]),
        performance=PerformanceBaseline(**performance) if performance is not None else None,
        block_us=stored["block_us"],
        row_count=stored["row_count"],
    )


def _feature_of(stored: Mapping[str, Any]) -> FeatureBaseline:
    lists = {name: tuple(stored[name]) for name in ("edges", "categories", "counts")}
    return FeatureBaseline(**{**stored, **lists})
