from __future__ import annotations

import socket

import pytest

from slipway.supervisor.ports import PortTaken, assign, bindable

DEFAULTS = {"registry": {"grpc": 0, "metrics": 0}, "redis": {"tcp": 0}}


def test_free_ports_are_distinct_and_bindable():
    ports = assign(DEFAULTS, {}, free=False)
    given = [port for kinds in ports.values() for port in kinds.values()]
    assert len(set(given)) == 3
    assert all(bindable(port) for port in given)


def test_a_chosen_port_wins_over_free_ports():
    free = assign(DEFAULTS, {}, free=True)["redis"]["tcp"]
    assert assign(DEFAULTS, {"registry.grpc": free}, free=True)["registry"]["grpc"] == free


def test_a_taken_port_names_owner_and_mend():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=r"--port registry\.grpc=N") as caught:
            assign(DEFAULTS, {"registry.grpc": port}, free=False)
    assert caught.value.facts["port"] == str(port)
    assert (caught.value.facts["service"], caught.value.facts["kind"]) == ("registry", "grpc")


def test_one_port_asked_for_twice_is_refused():
    free = assign(DEFAULTS, {}, free=True)["redis"]["tcp"]
    with pytest.raises(PortTaken, match=r"twice, by registry\.grpc and redis\.tcp"):
        assign(DEFAULTS, {"registry.grpc": free, "redis.tcp": free}, free=False)


def test_a_port_in_time_wait_is_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = server.accept()
            accepted.close()
    assert bindable(port)
