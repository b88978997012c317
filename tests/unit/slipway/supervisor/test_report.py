from __future__ import annotations

import pytest

from slipway.errors import Kind, SlipwayError
from slipway.supervisor.ports import PortTaken
from slipway.supervisor.report import Culprit, Progress, Ready, UpFailed, decode, encode, failed, rebuilt

CULPRIT = Culprit("monitor", "exited with code 7", 7, "/log", ["a", "b"])


@pytest.mark.parametrize(
    "message",
    [Progress("redis", "serving", None, 0.5), Ready(1.0), failed(UpFailed("no", [CULPRIT])), failed(PortTaken("p"))],
)
def test_messages_cross_the_pipe(message):
    assert decode(encode(message)) == message


def test_errors_are_the_same_on_the_other_side():
    error = rebuilt(decode(encode(failed(UpFailed("no", [CULPRIT])))))
    assert isinstance(error, UpFailed)
    assert error.culprits == (CULPRIT,)
    taken = rebuilt(failed(PortTaken("p", facts={"port": "1"})))
    assert isinstance(taken, SlipwayError)
    assert (taken.kind, taken.reason, taken.facts) == (Kind.FAILED_PRECONDITION, "PORT_TAKEN", {"port": "1"})
