from __future__ import annotations

from dataclasses import replace

import pytest

from slipway.supervisor.policy import (
    Action,
    Answered,
    Exited,
    Phase,
    Rules,
    Silent,
    StopAsked,
    UnitState,
    Waited,
    born,
    next_action,
)

RULES = Rules()
DIED = Exited(1, "exited with code 1")
NO = Silent("UNAVAILABLE")


def unit(phase: Phase, **fields) -> UnitState:
    return UnitState(phase, **{"since_s": 100.0, "heard_s": 100.0, **fields})


STARTING = unit(Phase.STARTING)
SERVING = unit(Phase.SERVING, served=True)
BACKOFF = unit(Phase.BACKOFF, deaths=1, served=True)
STOPPING = unit(Phase.STOPPING, served=True)


@pytest.mark.parametrize(
    ("state", "event", "now_s", "phase", "action"),
    [
        (STARTING, Answered(), 101, Phase.SERVING, Action.NOTHING),
        (STARTING, NO, 101, Phase.STARTING, Action.NOTHING),
        (STARTING, NO, 160, Phase.STARTING, Action.KILL),
        (STARTING, DIED, 101, Phase.BACKOFF, Action.WAIT),
        (STARTING, Exited(None, "can't be started"), 101, Phase.BACKOFF, Action.WAIT),
        (STARTING, Exited(2, "exited with code 2"), 101, Phase.FAILED, Action.NOTHING),
        (replace(STARTING, deaths=2), DIED, 101, Phase.FAILED, Action.NOTHING),
        (replace(STARTING, deaths=9, served=True), DIED, 101, Phase.BACKOFF, Action.WAIT),
        (replace(STARTING, served=True), Exited(2, "exited with code 2"), 101, Phase.BACKOFF, Action.WAIT),
        (STARTING, StopAsked(), 101, Phase.STOPPING, Action.STOP),
        (SERVING, Answered(), 101, Phase.SERVING, Action.NOTHING),
        (SERVING, NO, 104, Phase.SERVING, Action.NOTHING),
        (SERVING, NO, 105, Phase.STARTING, Action.NOTHING),
        (SERVING, NO, 160, Phase.STARTING, Action.KILL),
        (SERVING, DIED, 101, Phase.BACKOFF, Action.WAIT),
        (SERVING, StopAsked(), 101, Phase.STOPPING, Action.STOP),
        (BACKOFF, Waited(), 101, Phase.STARTING, Action.START),
        (BACKOFF, StopAsked(), 101, Phase.STOPPED, Action.NOTHING),
        (BACKOFF, Answered(), 101, Phase.BACKOFF, Action.NOTHING),
        (STOPPING, DIED, 101, Phase.STOPPED, Action.NOTHING),
        (STOPPING, Answered(), 101, Phase.STOPPING, Action.NOTHING),
        (unit(Phase.STOPPED), Waited(), 101, Phase.STOPPED, Action.NOTHING),
        (unit(Phase.FAILED), StopAsked(), 101, Phase.FAILED, Action.NOTHING),
        (unit(Phase.FAILED), DIED, 101, Phase.FAILED, Action.NOTHING),
    ],
)
def test_next_action(state, event, now_s, phase, action):
    decision = next_action(state, event, now_s, RULES)
    assert (decision.state.phase, decision.action) == (phase, action)
    assert decision.state.since_s == (100.0 if phase is state.phase else now_s)


def test_a_unit_is_born_starting():
    assert (born(7.0).state, born(7.0).action) == (UnitState(Phase.STARTING, 7.0, 7.0), Action.START)


def test_delays_double_to_the_longest_and_are_the_same_every_time():
    state, delays = SERVING, []
    for _ in range(8):
        died = next_action(state, DIED, 101, RULES)
        delays.append(died.delay_s)
        state = next_action(died.state, Waited(), 102, RULES).state
    assert delays == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])
    assert state.restarts == 8


def test_steady_serving_forgets_deaths():
    state = replace(SERVING, deaths=5)
    assert next_action(state, Answered(), 129, RULES).state.deaths == 5
    assert next_action(state, Answered(), 130, RULES).state.deaths == 0


def test_endless_deaths_do_not_overflow():
    assert next_action(replace(SERVING, deaths=100_000), DIED, 101, RULES).delay_s == 10


def test_the_reason_of_a_hung_unit_survives_its_death():
    hung = next_action(SERVING, NO, 160, RULES)
    assert hung.state.reason == "no answer for 60 s, killed (UNAVAILABLE)"
    assert next_action(hung.state, NO, 170, RULES).action is Action.NOTHING
    dead = next_action(hung.state, Exited(-9, "killed by SIGKILL"), 161, RULES)
    assert (dead.state.reason, dead.state.hung) == (hung.state.reason, False)


def test_an_answer_clears_the_reason():
    doubted = next_action(SERVING, NO, 106, RULES).state
    assert doubted.reason == "UNAVAILABLE"
    assert next_action(doubted, Answered(), 107, RULES).state.reason is None
