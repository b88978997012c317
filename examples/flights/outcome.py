"""What a telling of the story came to: every figure is asked of the platform that told it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True)
class Result:
    """The figures of one run.

    ``auc_static`` and ``auc_rolling``: the model of the schedule alone and the one with rolling features, on the same
    flights after March. ``champion_before`` and ``champion_after``: the champion's versions at the start and at the
    end; ``auc_champion_before`` and ``auc_champion_after``: theirs, or the candidate's that was not promoted, on the
    same flights after the retraining's cut-off. None: there was no retraining. Latencies are of requests of one flight.
    """

    train_rows: int
    auc_static: float | None
    auc_rolling: float | None
    predictions: int
    labels_joined: int
    latency_ms: Mapping[str, float]
    incident: Mapping[str, Any] | None
    versions: Sequence[Mapping[str, Any]]
    champion_before: int
    champion_after: int
    auc_champion_before: float | None
    auc_champion_after: float | None
    seconds: float
    # Beside what the story promises: what tells whether it was told well.
    challenger: int | None
    rollout: Mapping[str, Any] | None
    verdicts: Sequence[Mapping[str, Any]]
    counted: int
    unlabelled: int
    degraded: int
    compared_flights: Mapping[str, int]
    steps_s: Mapping[str, float]


def table(result: Result) -> Table:
    """The closing table."""
    shown = Table(title="Will this flight arrive 15 or more minutes late?", show_header=False, title_justify="left")
    for name, value in rows(result).items():
        shown.add_row(name, value)
    return shown


def rows(result: Result) -> dict[str, str]:
    """The closing table's lines."""
    compared = result.compared_flights
    return {
        "Flights that trained the first champion": f"{result.train_rows:,}",
        f"AUC after March, schedule alone ({compared.get('static', 0):,} flights)": _auc(result.auc_static),
        "AUC after March, with rolling features (same flights)": _auc(result.auc_rolling),
        "Predictions answered / counted by the monitor": f"{result.predictions:,} / {result.counted:,}",
        "Labels joined (the others never arrived)": f"{result.labels_joined:,} ({result.unlabelled:,})",
        "Answered without some feature": f"{result.degraded:,}",
        "Latency of one flight, p50 / p99": f"{result.latency_ms['p50']:.1f} / {result.latency_ms['p99']:.1f} ms",
        "Incident": _incident(result.incident),
        "Retrained as": "nothing" if result.challenger is None else f"version {result.challenger}",
        "Rollout": _rollout(result),
        "Champion before / after": f"version {result.champion_before} / version {result.champion_after}",
        _compared(result): f"{_auc(result.auc_champion_before)} / {_auc(result.auc_champion_after)}",
        "Seconds in all": f"{result.seconds:.0f}",
    }


def _auc(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _incident(incident: Mapping[str, Any] | None) -> str:
    if incident is None:
        return "none"
    harm = incident["harm"]
    told = f"{harm['metric']} {harm['observed']:.3f}, baseline {harm['baseline']:.3f}" if harm else incident["kind"]
    names = ", ".join(one["name"] for one in incident["features"][:4]) or "no feature"
    return f"{incident['trigger_time']:.10}: {told}\ndrifted: {names}"


def _rollout(result: Result) -> str:
    if result.rollout is None:
        return "none: the retrained version was not better" if result.challenger else "none"
    return f"{result.rollout['state']}, {len(result.verdicts)} verdicts"


def _compared(result: Result) -> str:
    flights = result.compared_flights.get("champions", 0)
    if result.champion_after == result.champion_before:
        return f"AUC since the cut-off, champion / challenger ({flights:,} flights)"
    return f"AUC since the cut-off, before / after ({flights:,} flights)"
