"""What must hold of the monitor: every prediction counted once, every label joined once, one incident a cause.

Whatever was acknowledged (by the event log, or by the monitor for a call) is in the figures; what never was may be. Of
two labels of a row that with the higher rank holds, which is the later label time. Scores of an endpoint that does harm
are all far off, those of a sound one all right, so that what a window says does not depend on which part of it was
there when it was judged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.chaos.findings import Finding, duplicated, lost, wrong
from scripts.chaos.history import Operation, Outcome

PREDICTED, TOLD, RECORDED, COVERAGE = "predicted", "told", "recorded", "coverage"
WEEKS = 5
"""Windows of an endpoint: each but the last is passed, and judged."""
HARM = "bad"
"""The endpoints whose names begin so do harm."""
_CLOSE = 1e-6


@dataclass(frozen=True, slots=True)
class Week:
    """A performance window: predictions, those with a label, those whose label is 1, and the mean squared error."""

    predictions: int
    joined: int
    positives: int
    brier: float | None


@dataclass(frozen=True, slots=True)
class Observed:
    """The monitor at the end, and what it announced, each event id once.

    ``hours``: (endpoint, hour since the start) to predictions; ``weeks``: (endpoint, week) to its window;
    ``incidents``: id to endpoint; ``announced``: ids of incidents, as they were told to have opened.
    """

    hours: Mapping[tuple[str, int], int]
    weeks: Mapping[tuple[str, int], Week]
    incidents: Mapping[str, str]
    announced: Sequence[str]


Row = tuple[str, int]
"""A prediction event's key, and a row in it."""


@dataclass
class Tally:
    """What a window may hold: each row's score and each label by rank, and whether they were acknowledged."""

    scores: dict[Row, tuple[float, bool]] = field(default_factory=dict)
    labels: dict[Row, dict[int, tuple[int, bool]]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def settled(self) -> bool:
        """Whether all that was asked for was acknowledged."""
        told = (done for ranks in self.labels.values() for _, done in ranks.values())
        return all(done for _, done in self.scores.values()) and all(told)

    def joined(self, *, sure: bool) -> int:
        """Rows with a label: by what was acknowledged alone, or by all that was asked for."""
        return sum(
            any(known or not sure for _, known in self.labels[row].values())
            for row, (_, done) in self.scores.items()
            if (done or not sure) and row in self.labels
        )

    def week(self) -> Week:
        """The window, once it is settled."""
        pairs = [
            (score, ranks[max(ranks)][0]) for row, (score, _) in self.scores.items() if (ranks := self.labels.get(row))
        ]
        brier = sum((score - label) ** 2 for score, label in pairs) / len(pairs) if pairs else None
        return Week(len(self.scores), len(pairs), sum(label for _, label in pairs), brier)


def tallies(operations: Sequence[Operation]) -> dict[tuple[str, int], Tally]:
    """What each window of each endpoint may hold."""
    found: defaultdict[tuple[str, int], Tally] = defaultdict(Tally)
    for one in operations:
        if one.kind not in (PREDICTED, TOLD, RECORDED):
            continue
        tally, done = found[one.arguments["endpoint"], one.arguments["week"]], one.outcome is Outcome.OK
        if one.kind == PREDICTED:
            for row, score in enumerate(one.arguments["scores"]):
                tally.scores[one.key, row] = score, done or tally.scores.get((one.key, row), (0, False))[1]
            continue
        for row, label in one.arguments["labels"]:
            ranks, rank = tally.labels[one.arguments["about"], row], one.arguments["rank"]
            ranks[rank] = label, done or ranks.get(rank, (0, False))[1]
    return dict(found)


def check(operations: Sequence[Operation], observed: Observed) -> list[Finding]:
    """Every broken promise."""
    found = tallies(operations)
    return [
        *_reads(operations),
        *_hours(operations, observed),
        *_weeks(found, observed),
        *_incidents(found, observed),
    ]


def _reads(operations: Sequence[Operation]) -> Iterator[Finding]:
    """What is counted and joined never becomes less."""
    least: dict[str, tuple[float, int, int]] = {}
    for one in operations:
        if one.kind == COVERAGE and one.outcome is Outcome.OK and one.ended_s is not None:
            predictions, joined = one.result
            ended_s, before, before_joined = least.get(one.key, (one.began_s, 0, 0))
            # Calls of several callers overlap: only one that had its answer before binds the next.
            if ended_s <= one.began_s and (predictions < before or joined < before_joined):
                yield lost(f"{one.key}: {before} predictions, {before_joined} joined; a read after that: {one.result}")
            if (predictions, joined) >= (before, before_joined):
                least[one.key] = one.ended_s, predictions, joined


def _hours(operations: Sequence[Operation], observed: Observed) -> Iterator[Finding]:
    """Windows count what was published into them, once."""
    sure: Counter[tuple[str, int]] = Counter()
    most: Counter[tuple[str, int]] = Counter()
    done: dict[str, bool] = {}
    for one in operations:
        if one.kind != PREDICTED:
            continue
        place, rows = (one.arguments["endpoint"], one.arguments["hour"]), len(one.arguments["scores"])
        most[place] += 0 if one.key in done else rows
        if one.outcome is Outcome.OK and not done.get(one.key, False):
            sure[place] += rows
        done[one.key] = done.get(one.key, False) or one.outcome is Outcome.OK
    for place in most.keys() | observed.hours.keys():
        counted = observed.hours.get(place, 0)
        if counted < sure[place]:
            yield lost(f"{_told(place)} counts {counted} predictions of {sure[place]}")
        elif counted > most[place]:
            yield duplicated(f"{_told(place)} counts {counted} predictions of {most[place]}")


def _weeks(found: Mapping[tuple[str, int], Tally], observed: Observed) -> Iterator[Finding]:
    for place, tally in found.items():
        window = observed.weeks.get(place, Week(0, 0, 0, None))
        sure, most = tally.joined(sure=True), tally.joined(sure=False)
        if window.joined < sure:
            yield lost(f"week {_told(place)}: {window.joined} of {sure} labels are joined")
        elif window.joined > most:
            yield duplicated(f"week {_told(place)}: {window.joined} labels are joined, and no more than {most} came")
        elif tally.settled and not _same(window, tally.week()):
            yield wrong(f"week {_told(place)}: it says {window}, and what came adds up to {tally.week()}")


def _same(one: Week, other: Week) -> bool:
    if (one.predictions, one.joined, one.positives) != (other.predictions, other.joined, other.positives):
        return False
    if one.brier is None or other.brier is None:
        return one.brier is other.brier
    return abs(one.brier - other.brier) < _CLOSE


def _incidents(found: Mapping[tuple[str, int], Tally], observed: Observed) -> Iterator[Finding]:
    """An endpoint that does harm has one incident, when all of its weeks came; a sound one has none."""
    incidents = Counter(observed.incidents.values())
    for endpoint in sorted({endpoint for endpoint, _ in found}):
        count = incidents[endpoint]
        if count > 1:
            yield duplicated(f"{endpoint} has {count} incidents of one cause")
        elif count and not endpoint.startswith(HARM):
            yield wrong(f"{endpoint} has an incident, and does no harm")
        elif not count and endpoint.startswith(HARM) and _lived(endpoint, found):
            yield lost(f"{endpoint} did harm in {WEEKS} weeks, and has no incident")
    announced = Counter(observed.announced)
    yield from (lost(f"no event of incident {one}") for one in observed.incidents if one not in announced)
    yield from (duplicated(f"{count} events of incident {one}") for one, count in announced.items() if count > 1)
    yield from (
        wrong(f"event of incident {one}, which is not there") for one in announced if one not in observed.incidents
    )


def _lived(endpoint: str, found: Mapping[tuple[str, int], Tally]) -> bool:
    return all((endpoint, week) in found and found[endpoint, week].settled for week in range(WEEKS))


def _told(place: tuple[str, int]) -> str:
    return f"{place[1]} of {place[0]}"
