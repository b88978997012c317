"""What was answered about a batch, as a whole and row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from services.inference_gateway.domain.batch import Batch
from services.inference_gateway.domain.columns import Array
from services.inference_gateway.domain.features import among
from services.inference_gateway.domain.lazy import Lazy

Ages = tuple[tuple[str, float | None], ...]
"""Seconds by view; None where the view told nothing."""


Draft = bytes
"""What the log has written of a record before its answer was there."""


Attributions = tuple[tuple[str, tuple[float, ...]], ...]
"""By column, what it did to each value of an output."""


@dataclass(slots=True)
class Answer:
    """What one version said about a batch: ``outputs`` by tensor name, [rows, …] each.

    Nobody changes one. It is not frozen, for then each of its fields would cost a call, at every batch.

    ``view_times`` [rows] say, by view, when what was read online was true: microseconds since 1970 UTC, 0 where the
    view told nothing. ``degraded`` are the rows, in order, that went without a feature; ``fallbacks`` are, by column,
    those in which the feature's own fallback stands in for a value. A ``shadow`` answer is one
    that no caller gets. ``ended_s`` is the monotonic time at which the model was done; ``experiment`` the one that
    the rows were exposed to, empty for none.
    A ``fallback`` answered in place of the arm that was to; its version is 0 where that is the default answer.
    ``draft`` is what the log has written of this very answer's record before it was there; empty for nothing. What is
    made of an answer has none.
    """

    batch: Batch
    ids: tuple[str, ...]
    digests: tuple[bytes, ...]
    model: str
    version: int
    route: str
    features: dict[str, Array]
    outputs: dict[str, Array]
    view_times: Mapping[str, Array] = field(default_factory=dict)
    degraded: tuple[int, ...] = ()
    shadow: bool = False
    ended_s: float = 0.0
    experiment: str = ""
    fallback: bool = False
    fallbacks: Mapping[str, Array] = field(default_factory=dict)
    draft: Draft = field(default=b"", init=False, repr=False, compare=False)
    encoded: Sequence[bytes] = field(default=(), init=False, repr=False, compare=False)
    """Each row's prediction as its callers are told it, where one was; the codec's."""
    _told: list[Prediction] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def predictions(self) -> list[Prediction]:
        """Row by row, in the batch's order; made for all requests at once, when the first one asks."""
        if self._told is None:
            self._told = _predictions(self)
        return self._told

    def take(self, rows: Array) -> Answer:
        """What was answered about ``rows`` (indices, ascending) alone."""
        chosen = rows.tolist()
        lacking = set(self.degraded)
        return Answer(
            self.batch.take(rows),
            tuple(self.ids[row] for row in chosen),
            tuple(self.digests[row] for row in chosen) if self.digests else (),
            self.model,
            self.version,
            self.route,
            {name: array[rows] for name, array in self.features.items()},
            {name: array[rows] for name, array in self.outputs.items()},
            {view: times[rows] for view, times in self.view_times.items()},
            tuple(place for place, row in enumerate(chosen) if row in lacking) if lacking else (),
            self.shadow,
            self.ended_s,
            self.experiment,
            self.fallback,
            among(self.fallbacks, rows),
        )

    def halves(self) -> tuple[Answer, Answer]:
        """The first and the second half of the rows; there must be two."""
        middle = self.batch.rows // 2
        return self.take(np.arange(middle)), self.take(np.arange(middle, self.batch.rows))


@dataclass(slots=True)
class Prediction:
    """One row's answer: ``outputs`` by tensor name, flattened. Nobody changes one.

    ``feature_ages`` are the seconds from what a view told to the row's moment, None where it told nothing.
    """

    prediction_id: str
    outputs: dict[str, tuple[float, ...] | tuple[str, ...]]
    model: str
    version: int
    route: str
    replayed: bool = False
    feature_ages: Ages = ()
    degraded: bool = False
    fallback: bool = False
    attributions: Attributions = ()


class AnsweredRows(Lazy[Prediction]):
    """The predictions of an answer's rows from ``start`` to ``end``, made when somebody looks at one."""

    __slots__ = ("answer", "end", "start")

    def __init__(self, answer: Answer, start: int, end: int) -> None:
        self.answer = answer
        self.start = start
        self.end = end

    def __len__(self) -> int:
        return self.end - self.start

    def _made(self) -> list[Prediction]:
        return self.answer.predictions[self.start : self.end]


def _predictions(answer: Answer) -> list[Prediction]:
    flat = {name: array.reshape(answer.batch.rows, -1).tolist() for name, array in answer.outputs.items()}
    ages = ages_by_row(answer.batch.event_times_us, answer.view_times)
    degraded = set(answer.degraded)
    return [
        Prediction(
            one,
            {name: tuple(values[row]) for name, values in flat.items()},
            answer.model,
            answer.version,
            answer.route,
            feature_ages=ages[row],
            degraded=row in degraded,
            fallback=answer.fallback,
        )
        for row, one in enumerate(answer.ids)
    ]


def ages_by_row(event_times_us: Array, view_times: Mapping[str, Array]) -> Sequence[Ages]:
    """For each row, by view, the seconds from what the view told to the row's moment."""
    if not view_times:
        return [()] * len(event_times_us)
    columns = []
    for times in view_times.values():
        ages = ((event_times_us - times) / 1e6).tolist()
        columns.append([age if told else None for age, told in zip(ages, times.tolist(), strict=True)])
    return [tuple(zip(view_times, ages, strict=True)) for ages in zip(*columns, strict=True)]
