from __future__ import annotations

from pathlib import Path

import pytest

from slipway.errors import InvalidInput
from slipway.supervisor.fleet import BACKING_PORTS, FLEET, Fleet
from slipway.supervisor.options import Options, parse_ports


def test_ports_are_read():
    assert parse_ports(["registry.grpc=50061", "redis.tcp=0"]) == {"registry.grpc": 50061, "redis.tcp": 0}


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["registry=1"], "SERVICE.KIND=N"),
        (["registry.http=1"], "registry.metrics"),
        (["nobody.grpc=1"], "names no port"),
        (["registry.grpc"], "needs a number"),
        (["registry.grpc=-1"], "needs a number"),
        (["registry.grpc=65536"], "needs a number"),
        (["registry.grpc=²"], "needs a number"),
        (["registry.grpc=0.0.0.0:80"], "loopback"),
        (["registry.grpc=1", "registry.grpc=2"], "twice"),
    ],
)
def test_bad_ports_name_the_option_and_the_mend(texts, told):
    with pytest.raises(InvalidInput, match=told) as caught:
        parse_ports(texts)
    assert caught.value.violations[0].field == "--port"


def test_options_survive_the_way_to_the_detached_supervisor():
    options = Options(data=Path("/data"), ports={"redis.tcp": 7}, without=frozenset({"ray"}))
    assert Options.model_validate_json(options.model_dump_json()) == options


def test_what_is_left_out_needs_no_ports():
    assert "ray" not in Options(data=Path("/data"), without=frozenset({"ray"})).defaults()


def test_the_fleet_is_the_contract():
    assert {one.name: one.ports for one in FLEET.services} == {
        "registry": {"grpc": 50051, "metrics": 9101},
        "feature_serving": {"grpc": 50052, "metrics": 9102},
        "training_scheduler": {"grpc": 50053, "metrics": 9103},
        "inference_gateway": {"grpc": 8001, "http": 8000, "metrics": 8002},
        "monitor": {"grpc": 50054, "metrics": 9104},
    }
    assert set(FLEET.stop_order) == {one.name for one in FLEET.services} | set(BACKING_PORTS)


def test_a_bad_fleet_file_is_refused(tmp_path):
    file = tmp_path / "fleet.toml"
    file.write_text('[[services]]\nname = "x"\n')
    with pytest.raises(InvalidInput, match="--fleet"):
        Fleet.read(file)
