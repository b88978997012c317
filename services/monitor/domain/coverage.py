"""How far labels have come."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.monitor.domain.label import LabelTally


@dataclass(frozen=True, slots=True)
class Coverage:
    """An endpoint's predictions in a stretch of event time, those of them that are joined, and all of its labels.

    ``newest_label_us`` is the latest label time among the joined, microseconds since 1970; None when none is.
    """

    endpoint: str
    predictions: int = 0
    joined: int = 0
    newest_label_us: int | None = None
    labels: LabelTally = field(default_factory=LabelTally)
