"""What to do with a supervised unit: a pure function from its state and an event to one action."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace


class Phase(enum.StrEnum):
    """Where a unit is in its life; the names are those of ``slipway status``."""

    STARTING = "starting"
    SERVING = "serving"
    BACKOFF = "backoff"
    FAILED = "failed"
    STOPPING = "stopping"
    STOPPED = "stopped"


ENDED = frozenset({Phase.FAILED, Phase.STOPPED})


@dataclass(frozen=True, slots=True)
class Rules:
    """Delays in seconds, counts of deaths.

    A unit is restarted after ``first_delay_s``, doubling to ``longest_delay_s``, from the first again once it
    has served for ``steady_s``. One that dies ``attempts`` times before it ever served has failed; so has one
    that exits with ``hopeless_code`` (its configuration is refused: no retry mends that). One whose health
    check fails for ``doubt_s`` no longer counts as serving; after ``hung_s`` it is killed.
    """

    first_delay_s: float = 0.2
    longest_delay_s: float = 10.0
    steady_s: float = 30.0
    attempts: int = 3
    hopeless_code: int = 2
    doubt_s: float = 5.0
    hung_s: float = 60.0


@dataclass(frozen=True, slots=True)
class UnitState:
    """What the policy remembers of one unit; times are monotonic seconds.

    ``since_s``: when the phase began; ``heard_s``: when it was started or last answered its health check;
    ``deaths``: in a row; ``hung``: it is being killed for its silence.
    """

    phase: Phase
    since_s: float
    heard_s: float
    deaths: int = 0
    restarts: int = 0
    served: bool = False
    hung: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The health check succeeded."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The health check failed; ``text`` says how."""

    text: str


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended (or could not be started: ``code`` None); ``text`` says how."""

    code: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Waited:
    """The delay before a restart is over."""


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The unit shall stop for good."""


Event = Answered | Silent | Exited | Waited | StopAsked


class Action(enum.Enum):
    """What the loop does next; NOTHING means wait for the next event."""

    NOTHING = enum.auto()
    START = enum.auto()
    WAIT = enum.auto()
    KILL = enum.auto()
    STOP = enum.auto()


@dataclass(frozen=True, slots=True)
class Decision:
    """The unit's next state and the action that takes it there; ``delay_s`` belongs to WAIT."""

    state: UnitState
    action: Action = Action.NOTHING
    delay_s: float = 0.0


def born(now_s: float) -> Decision:
    """The first decision of a unit's life: start it."""
    return Decision(UnitState(Phase.STARTING, now_s, now_s), Action.START)


def next_action(state: UnitState, event: Event, now_s: float, rules: Rules) -> Decision:
    """Decide. Total: an event that means nothing in a phase changes nothing."""
    ended = state.phase in ENDED
    match event:
        case StopAsked() if not ended:
            return _stop(state, now_s)
        case Exited() if not ended:
            return _exited(state, event, now_s, rules)
        case Waited() if state.phase is Phase.BACKOFF:
            started = replace(_enter(state, Phase.STARTING, now_s), heard_s=now_s, restarts=state.restarts + 1)
            return Decision(started, Action.START)
        case Answered() if state.phase in (Phase.STARTING, Phase.SERVING):
            return _answered(state, now_s, rules)
        case Silent() if state.phase in (Phase.STARTING, Phase.SERVING):
            return _silent(state, event, now_s, rules)
        case _:
            return Decision(state)


def _enter(state: UnitState, phase: Phase, now_s: float) -> UnitState:
    return state if state.phase is phase else replace(state, phase=phase, since_s=now_s)


def _stop(state: UnitState, now_s: float) -> Decision:
    if state.phase is Phase.BACKOFF:
        return Decision(_enter(state, Phase.STOPPED, now_s))
    return Decision(_enter(state, Phase.STOPPING, now_s), Action.STOP)


def _answered(state: UnitState, now_s: float, rules: Rules) -> Decision:
    serving = replace(_enter(state, Phase.SERVING, now_s), heard_s=now_s, served=True, reason=None)
    steady = now_s - serving.since_s >= rules.steady_s
    return Decision(replace(serving, deaths=0) if steady else serving)


def _silent(state: UnitState, event: Silent, now_s: float, rules: Rules) -> Decision:
    quiet_s = now_s - state.heard_s
    if quiet_s >= rules.hung_s and not state.hung:
        reason = f"no answer for {quiet_s:.0f} s, killed ({event.text})"
        return Decision(replace(_enter(state, Phase.STARTING, now_s), hung=True, reason=reason), Action.KILL)
    if state.phase is Phase.SERVING and quiet_s >= rules.doubt_s:
        return Decision(replace(_enter(state, Phase.STARTING, now_s), reason=event.text))
    return Decision(state)


def _exited(state: UnitState, event: Exited, now_s: float, rules: Rules) -> Decision:
    if state.phase is Phase.STOPPING:
        return Decision(_enter(state, Phase.STOPPED, now_s))
    deaths = state.deaths + 1
    reason = state.reason if state.hung else event.text
    dead = replace(state, deaths=deaths, hung=False, reason=reason)
    if not state.served and (deaths >= rules.attempts or event.code == rules.hopeless_code):
        return Decision(_enter(dead, Phase.FAILED, now_s))
    delay_s = min(rules.longest_delay_s, rules.first_delay_s * 2.0 ** (min(deaths, 60) - 1))
    return Decision(_enter(dead, Phase.BACKOFF, now_s), Action.WAIT, delay_s)
