"""What serving saw, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PredictionWindow:
    """What one version of one endpoint answered from ``start_time`` to before ``end_time``, in event time."""

    endpoint: str
    model: str
    version: int
    route: str
    start_time: datetime
    end_time: datetime
    predictions: int


@dataclass(frozen=True, slots=True)
class VersionCount:
    """What one version answered."""

    model: str
    version: int
    predictions: int


@dataclass(frozen=True, slots=True)
class PredictionCount:
    """An endpoint's predictions, all and by version."""

    predictions: int
    versions: tuple[VersionCount, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that the monitor could not handle, and why.

    ``partition`` and ``offset`` are its place in ``topic``; None, and an empty ``topic`` or ``error``, when the letter
    does not say. ``time`` is when it happened; None when no year has it. ``value`` is None unless it was asked for.
    """

    event_id: str
    topic: str
    partition: int | None
    offset: int | None
    key: str
    time: datetime | None
    error: str
    size_bytes: int
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class RecordedLabels:
    """What became of labels: each is one of ``recorded``, ``corrected``, ``repeated`` and ``ignored``.

    ``joined`` are the recorded whose prediction is there; the others wait for it.
    """

    recorded: int = 0
    corrected: int = 0
    repeated: int = 0
    ignored: int = 0
    joined: int = 0


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Predictions with scores from ``lower`` to below ``upper``, and the share of them whose label is 1."""

    lower: float
    upper: float
    predictions: int
    mean_score: float
    positive_rate: float


@dataclass(frozen=True, slots=True)
class PerformanceWindow:
    """How one version of one endpoint did from ``start_time`` to before ``end_time``, as far as labels tell.

    A figure is None while there is nothing to take it of. ``auc``, ``log_loss``, ``brier`` and ``calibration`` are over
    the ``classified``: scores from 0 to 1 with a label of 0 or 1; the two errors over the ``measured``: all scores that
    are numbers. ``negative_bins`` and ``positive_bins`` count the classified of each label in 512 equal bins of the
    score from 0 to 1, and may be added up over windows; empty unless asked for.
    """

    endpoint: str
    model: str
    version: int
    route: str
    start_time: datetime
    end_time: datetime
    predictions: int
    joined: int
    newest_label_time: datetime | None = None
    mean_label_delay_s: float | None = None
    classified: int = 0
    positives: int = 0
    auc: float | None = None
    log_loss: float | None = None
    brier: float | None = None
    measured: int = 0
    mean_absolute_error: float | None = None
    root_mean_squared_error: float | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    negative_bins: tuple[int, ...] = ()
    positive_bins: tuple[int, ...] = ()

    @property
    def coverage(self) -> float:
        """The share of its predictions that have a label."""
        return self.joined / self.predictions if self.predictions else 0.0


@dataclass(frozen=True, slots=True)
class LabelCoverage:
    """How far an endpoint's labels have come.

    ``predictions``, ``joined`` and ``newest_label_time`` (None when nothing is joined) are of the stretch that was
    asked about, arm by arm; ``labels_…`` are of all labels that ever came.
    """

    endpoint: str
    predictions: int
    joined: int
    newest_label_time: datetime | None = None
    labels_joined: int = 0
    labels_waiting: int = 0
    labels_expired: int = 0
    labels_corrected: int = 0
    labels_repeated: int = 0
    labels_ignored: int = 0

    @property
    def coverage(self) -> float:
        """The share of the predictions that have a label."""
        return self.joined / self.predictions if self.predictions else 0.0
