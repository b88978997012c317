from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import InvalidInput, SlipwayError
from slipway.supervisor.fleet import Fleet
from slipway.supervisor.options import Options
from slipway.supervisor.plan import make_plan
from slipway.supervisor.ports import free_port
from slipway.supervisor.servers import found

_STACK = Options(data=Path("/nowhere"), profile="stack", fleet=Fleet(services=()))


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SLIPWAY_KAFKA", "127.0.0.1:{port}", "does not answer a metadata request"),
        ("SLIPWAY_POSTGRES", "postgresql://me:secret@127.0.0.1:{port}/postgres", "does not answer SELECT 1"),
        ("SLIPWAY_REDIS", "redis://:secret@127.0.0.1:{port}/0", "does not answer PING"),
        ("SLIPWAY_KAFKA", "nowhere", "write host:port"),
        ("SLIPWAY_KAFKA", "here:port", "write host:port"),
        ("SLIPWAY_POSTGRES", "mysql://127.0.0.1:{port}", "postgresql://user@host:port"),
        ("SLIPWAY_REDIS", "127.0.0.1:{port}", "write redis://"),
    ],
)
def test_a_server_that_is_named_must_answer(variable, value, told):
    with pytest.raises(SlipwayError, match=variable) as caught:
        found(_STACK, {variable: value.format(port=free_port())})
    assert told in caught.value.message
    assert "secret" not in caught.value.message


def test_the_embedded_profile_uses_nobody_elses():
    assert found(Options(data=Path("/nowhere")), {"SLIPWAY_KAFKA": "nowhere"}).addresses == {}


def test_a_port_of_a_server_that_is_elsewhere_can_not_be_chosen(tmp_path, redis_url):
    options = _STACK.model_copy(update={"data": tmp_path, "ports": {"redis.tcp": 1}})
    with pytest.raises(InvalidInput, match=r"--port: redis\.tcp can't be chosen: the environment names"):
        make_plan(options, {"SLIPWAY_REDIS": redis_url})
