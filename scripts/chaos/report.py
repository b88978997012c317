"""A cell as a row, rows as a table. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Any

from scripts.chaos.findings import Broken
from scripts.chaos.history import Outcome
from scripts.chaos.rounds import Done

Row = dict[str, Any]
_SHOWN = 20


def row_of(service: str, fault: str, profile: str, seed: int, done: Done) -> Row:
    """The row of a cell: only valid rounds count, and only they have a recovery.

    ``operations`` were answered well, ``unknown`` ones were never answered. Times are seconds.
    """
    valid = [one for one in done.rounds if one.void is None]
    recoveries = sorted(one.recovery_s for one in valid if one.recovery_s is not None)
    outcomes = Counter(one.outcome for one in done.history.operations)
    broken = Counter(one.broken for one in done.findings)
    return {
        "service": service,
        "fault": fault,
        "profile": profile,
        "seed": seed,
        "rounds": len(valid),
        "void": len(done.rounds) - len(valid),
        "operations": outcomes[Outcome.OK],
        "unknown": outcomes[Outcome.UNKNOWN],
        "load_per_s": round(median([one.load_per_s for one in done.rounds] or [0.0]), 1),
        "lost": broken[Broken.LOST],
        "duplicated": broken[Broken.DUPLICATED],
        "wrong": broken[Broken.WRONG],
        "recovery_s": {
            "p50": round(median(recoveries), 2) if recoveries else None,
            "max": round(recoveries[-1], 2) if recoveries else None,
        },
        "notes": dict(Counter(one.note for one in valid)),
        "findings": [f"{one.broken.value}: {one.what}" for one in done.findings[:_SHOWN]],
    }


def refused_row(service: str, fault: str, profile: str, why: str) -> Row:
    """The row of a cell that can't be had here."""
    return {"service": service, "fault": fault, "profile": profile, "not_covered": why}


def exit_code(rows: Sequence[Row]) -> int:
    """0: every cell kept its promises; 1: one did not; 3: none broke one, but some had no valid round."""
    run = [one for one in rows if "not_covered" not in one]
    if any("failed" in one or one["lost"] or one["duplicated"] or one["wrong"] for one in run):
        return 1
    return 3 if any(one["rounds"] == 0 for one in run) else 0


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown, as docs/reliability.md has them."""
    heads = ["service", "fault", "rounds", "void", "operations", "lost", "duplicated", "wrong", "p50 s", "max s"]
    lines = [heads, *(_cells(one) for one in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    texts = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(one, widths, strict=True)) + " |" for one in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([texts[0], rule, *texts[1:]])


def _cells(row: Row) -> list[str]:
    names = ["rounds", "void", "operations", "lost", "duplicated", "wrong"]
    if "not_covered" in row:
        return [row["service"], row["fault"], "not covered", *[""] * 7]
    if "failed" in row:
        return [row["service"], row["fault"], "failed", *[""] * 7]
    recovery = [_seconds(row["recovery_s"][name]) for name in ("p50", "max")]
    return [row["service"], row["fault"], *(str(row[name]) for name in names), *recovery]


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
