"""What must hold of the registry: versions once, aliases and endpoints where they were moved, an event a change.

An intention (a request id, a move of an alias, a put of an endpoint) is a ``kind`` and a ``key``; whoever got no
answer may have been heard, so what is there may be more than what was acknowledged, and never less.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scripts.chaos.findings import Finding, duplicated, lost, wrong
from scripts.chaos.history import Operation, Outcome, acknowledged

REGISTER, MOVE, PUT = "register", "move", "put"
LOOK_VERSION, LOOK_MOVE, LOOK_PUT = "look-version", "look-move", "look-put"


@dataclass(frozen=True, slots=True)
class Observed:
    """The registry at the end, and what it announced, each event id once.

    ``versions``: model to number to request id; ``aliases``: alias to version; ``weights``: endpoint to weight;
    ``created``: (model, number) as announced; ``moves``: (alias, from, to) as announced; ``puts``: (revision,
    endpoint, weight) as announced.
    """

    versions: Mapping[str, Mapping[int, str]]
    aliases: Mapping[str, int]
    weights: Mapping[str, int]
    created: Sequence[tuple[str, int]]
    moves: Sequence[tuple[str, int, int]]
    puts: Sequence[tuple[int, str, int]]


def check(operations: Sequence[Operation], observed: Observed) -> list[Finding]:
    """Every broken promise."""
    return [
        *_versions(operations, observed),
        *_reads(operations),
        *_pointers(operations, MOVE, LOOK_MOVE, "version", observed.aliases),
        *_pointers(operations, PUT, LOOK_PUT, "weight", observed.weights),
        *_created(observed),
        *_moves(operations, observed),
        *_puts(operations, observed),
    ]


def _versions(operations: Sequence[Operation], observed: Observed) -> list[Finding]:
    found: list[Finding] = []
    numbers: dict[str, list[int]] = defaultdict(list)
    for model, versions in observed.versions.items():
        if sorted(versions) != list(range(1, len(versions) + 1)):
            found.append(wrong(f"the versions of {model} are not numbered 1 to {len(versions)}"))
        for number, request in versions.items():
            numbers[request].append(number)
    found += [duplicated(f"request {one} made versions {made}") for one, made in numbers.items() if len(made) > 1]
    asked = {one.key for one in operations if one.kind == REGISTER}
    found += [wrong(f"version of request {one}, which nobody made") for one in numbers if one not in asked]
    for one in acknowledged(operations, REGISTER):
        if one.result not in numbers.get(one.key, []):
            found.append(lost(f"request {one.key} was answered version {one.result}; stored: {numbers.get(one.key)}"))
    return found


def _reads(operations: Sequence[Operation]) -> Iterator[Finding]:
    for one in acknowledged(operations, LOOK_VERSION):
        if one.result != one.key:
            yield lost(f"the version of request {one.key} was read as that of {one.result}")


def _pointers(
    operations: Sequence[Operation], kind: str, look: str, name: str, held: Mapping[str, int]
) -> Iterator[Finding]:
    """One client alone moves each: it stands where the last acknowledged move left it, or a later unanswered one.

    So it does in each read of that client's, and in the end. 0: it is not there, as before the first move.
    """
    may: dict[str, set[int]] = defaultdict(lambda: {0})
    for one in operations:
        if one.kind == kind:
            place = one.arguments["name"]
            if one.outcome is Outcome.OK:
                may[place] = set()
            may[place].add(one.arguments[name])
        elif one.kind == look and one.outcome is Outcome.OK and one.result not in may[one.key]:
            yield lost(f"{kind} of {one.key}: a read found {one.result}, not one of {sorted(may[one.key])}")
    for place, allowed in may.items():
        if held.get(place, 0) not in allowed:
            yield lost(f"{kind} of {place}: it stands at {held.get(place)}, not at one of {sorted(allowed)}")


def _created(observed: Observed) -> list[Finding]:
    told = Counter(observed.created)
    stored = {(model, number) for model, versions in observed.versions.items() for number in versions}
    return [
        *(lost(f"no event of version {one}") for one in stored if one not in told),
        *(duplicated(f"{count} events of version {one}") for one, count in told.items() if count > 1),
        *(wrong(f"event of version {one}, which is not there") for one in told if one not in stored),
    ]


def _moves(operations: Sequence[Operation], observed: Observed) -> list[Finding]:
    found: list[Finding] = []
    pointing: dict[str, int] = defaultdict(int)
    told: Counter[tuple[str, int]] = Counter()
    for alias, before, after in observed.moves:
        if pointing[alias] != before:
            found.append(wrong(f"event moves {alias} from {before}, but it stood at {pointing[alias]}"))
        pointing[alias] = after
        told[alias, after] += 1
    found += [duplicated(f"{count} events of a move of {one}") for one, count in told.items() if count > 1]
    for one in acknowledged(operations, MOVE):
        if not told[one.arguments["name"], one.arguments["version"]]:
            found.append(lost(f"no event of {one.arguments['name']} moving to {one.arguments['version']}"))
    return found


def _puts(operations: Sequence[Operation], observed: Observed) -> list[Finding]:
    """Revisions are of all endpoints together; the events of one endpoint keep their order, those of two need not."""
    found: list[Finding] = []
    times = Counter(revision for revision, *_ in observed.puts)
    found += [duplicated(f"{count} events of revision {one}") for one, count in times.items() if count > 1]
    found += [lost(f"no event of revision {one}") for one in range(1, max(times, default=0)) if one not in times]
    newest: dict[str, int] = defaultdict(int)
    for revision, endpoint, _ in observed.puts:
        if revision < newest[endpoint]:
            found.append(wrong(f"the event of {endpoint}'s revision {revision} came after {newest[endpoint]}'s"))
        newest[endpoint] = revision
    told = {revision: (endpoint, weight) for revision, endpoint, weight in observed.puts}
    for one in acknowledged(operations, PUT):
        wanted = (one.arguments["name"], one.arguments["weight"])
        if told.get(one.result) != wanted:
            found.append(lost(f"revision {one.result} was answered for {wanted}; its event: {told.get(one.result)}"))
    return found
