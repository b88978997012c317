from __future__ import annotations

from pathlib import Path

import pytest

from scripts.chaos.history import History, Outcome
from slipway.errors import NotFound, Unavailable


async def answer() -> int:
    return 7


async def silence() -> int:
    raise Unavailable("gone")


async def refusal() -> int:
    raise NotFound("no such thing")


async def test_a_history_is_what_was_asked_and_told(tmp_path: Path) -> None:
    with History.open(tmp_path / "history.jsonl") as history:
        assert await history.attempt("c", "write", "k", answer, told=lambda found: found + 1, value=3) == 7
        assert await history.attempt("c", "write", "k", silence, value=4) is None
        with pytest.raises(NotFound):
            await history.attempt("c", "write", "k", refusal, value=5)
        history.mark("kill", 1.5, note="kill -9")
        first = list(history.operations)
    assert [(one.outcome, one.result) for one in first] == [
        (Outcome.OK, 8),
        (Outcome.UNKNOWN, "UNAVAILABLE"),
        (Outcome.REFUSED, "NOT_FOUND"),
    ]
    with History.open(tmp_path / "history.jsonl") as again:
        assert again.operations == first
        assert [(one.kind, one.began_s, one.facts) for one in again.marks] == [("kill", 1.5, {"note": "kill -9"})]
        assert again.session == 1


async def test_a_call_that_its_caller_did_not_outlive_is_unknown(tmp_path: Path) -> None:
    with History.open(tmp_path / "history.jsonl") as history:
        history.invoked("c", "write", "k", {"value": 1})
    (tmp_path / "history.jsonl").open("a").write('{"ended": 0, "at_s": 5.0, "outc')
    with History.open(tmp_path / "history.jsonl") as again:
        assert [one.outcome for one in again.operations] == [Outcome.UNKNOWN]
        assert again.operations[0].ended_s is None
        again.invoked("c", "write", "k", {"value": 2})
    with History.open(tmp_path / "history.jsonl") as third:
        assert [one.session for one in third.operations] == [0, 1]
