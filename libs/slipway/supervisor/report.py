"""What a supervisor tells whoever started it, in this process or, detached, through a pipe."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slipway.errors import Kind, SlipwayError


@dataclass(frozen=True, slots=True)
class Progress:
    """A unit entered another state; ``elapsed_s`` since ``up`` began."""

    name: str
    state: str
    reason: str | None
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Every unit serves."""

    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Culprit:
    """A unit that did not serve, why, and the end of its log."""

    name: str
    reason: str
    exit_code: int | None
    log: str
    log_tail: Sequence[str]


@dataclass(frozen=True, slots=True)
class Failed:
    """``up`` did not succeed, and nothing of it runs; ``kind`` is that of the error."""

    message: str
    reason: str
    kind: str
    facts: Mapping[str, str]
    culprits: Sequence[Culprit] = ()


Message = Progress | Ready | Failed
Report = Callable[[Message], None]

_TYPES: dict[str, type[Progress | Ready | Failed]] = {one.__name__: one for one in (Progress, Ready, Failed)}


class UpFailed(SlipwayError):
    """A unit did not come to serve; ``culprits`` tells which, and why."""

    kind = Kind.ABORTED
    reason = "UP_FAILED"

    def __init__(self, message: str, culprits: Sequence[Culprit] = ()) -> None:
        super().__init__(message, facts={one.name: one.reason for one in culprits})
        self.culprits = tuple(culprits)


def failed(error: SlipwayError) -> Failed:
    """The message about an error that ended ``up``."""
    culprits = error.culprits if isinstance(error, UpFailed) else ()
    return Failed(error.message, error.reason, error.kind.value, error.facts, culprits)


def rebuilt(failure: Failed) -> SlipwayError:
    """The error again, on the side of the pipe that shows it."""
    if failure.reason == UpFailed.reason:
        return UpFailed(failure.message, failure.culprits)
    return SlipwayError.rebuild(Kind(failure.kind), failure.reason, failure.message, facts=failure.facts)


def encode(message: Message) -> str:
    """One line of JSON."""
    return json.dumps({"type": type(message).__name__, **asdict(message)})


def decode(line: str) -> Message:
    """The message of a line. Raises ValueError, KeyError or TypeError on anything else."""
    tree: dict[str, Any] = json.loads(line)
    kind = _TYPES[tree.pop("type")]
    if kind is Failed:
        tree["culprits"] = tuple(Culprit(**one) for one in tree["culprits"])
    return kind(**tree)
