from __future__ import annotations

import json
from pathlib import Path

import pytest

from slipway.client.peers import FEATURES, GATEWAY, MONITOR, REGISTRY, TRAINING, Peer, token
from slipway.errors import InvalidInput
from slipway.gen.slipway.features.v1 import features_pb2
from slipway.gen.slipway.inference.v1 import inference_pb2
from slipway.gen.slipway.monitor.v1 import monitor_pb2
from slipway.gen.slipway.registry.v1 import registry_pb2
from slipway.gen.slipway.training.v1 import training_pb2


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLIPWAY_DATA", str(tmp_path))
    for peer in (REGISTRY, FEATURES, TRAINING, GATEWAY, MONITOR):
        monkeypatch.delenv(peer.variable, raising=False)


@pytest.mark.parametrize(
    ("peer", "variable", "default"),
    [
        (REGISTRY, "SLIPWAY_REGISTRY_ADDRESS", "127.0.0.1:50051"),
        (FEATURES, "SLIPWAY_FEATURE_SERVING_ADDRESS", "127.0.0.1:50052"),
        (TRAINING, "SLIPWAY_TRAINING_SCHEDULER_ADDRESS", "127.0.0.1:50053"),
        (GATEWAY, "SLIPWAY_INFERENCE_GATEWAY_ADDRESS", "127.0.0.1:8001"),
        (MONITOR, "SLIPWAY_MONITOR_ADDRESS", "127.0.0.1:50054"),
    ],
)
def test_an_address_is_given_or_of_the_environment_or_the_default(
    peer: Peer, variable: str, default: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert peer.address(None) == default
    monkeypatch.setenv(variable, "10.0.0.1:1")
    assert peer.address(None) == "10.0.0.1:1"
    assert peer.address("localhost:2") == "localhost:2"


@pytest.mark.parametrize("bad", ["", "localhost", ":1", "localhost:", "localhost:0", "localhost:65536", "localhost:x"])
def test_a_bad_address_is_refused_by_name(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidInput, match="gateway: is"):
        GATEWAY.address(bad)
    if bad:
        monkeypatch.setenv(GATEWAY.variable, bad)
        with pytest.raises(InvalidInput, match="SLIPWAY_INFERENCE_GATEWAY_ADDRESS: is"):
            GATEWAY.address(None)


@pytest.mark.parametrize(
    ("peer", "contract"),
    [
        (REGISTRY, registry_pb2.DESCRIPTOR.services_by_name["RegistryService"]),
        (FEATURES, features_pb2.DESCRIPTOR.services_by_name["FeatureStoreService"]),
        (TRAINING, training_pb2.DESCRIPTOR.services_by_name["TrainingService"]),
        (GATEWAY, inference_pb2.DESCRIPTOR.services_by_name["InferenceService"]),
        (MONITOR, monitor_pb2.DESCRIPTOR.services_by_name["MonitorService"]),
    ],
)
def test_what_is_tried_again_is_of_the_contract(peer: Peer, contract: object) -> None:
    assert peer.contract == contract.full_name  # type: ignore[attr-defined]
    assert peer.safe | peer.keyed <= set(contract.methods_by_name)  # type: ignore[attr-defined]
    assert not peer.safe & peer.keyed


@pytest.mark.parametrize(("keyed", "retried"), [(True, True), (False, False)])
def test_predict_is_tried_again_only_under_ids(keyed: bool, retried: bool) -> None:
    config = json.loads(str(dict(GATEWAY.options(keyed=keyed))["grpc.service_config"]))
    (methods,) = config["methodConfig"]
    assert ({"service": GATEWAY.contract, "method": "Predict"} in methods["name"]) is retried


def test_a_token_is_given_or_of_the_environment_and_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_TOKEN", "")
    assert token(None) is None
    monkeypatch.setenv("SLIPWAY_TOKEN", "of-the-environment")
    assert (token(None), token("given")) == ("of-the-environment", "given")
    monkeypatch.setenv("SLIPWAY_TOKEN", "two words")
    for field, given in (("SLIPWAY_TOKEN", None), ("token", ""), ("token", "a\nb"), ("token", "ä")):
        with pytest.raises(InvalidInput, match=f"^{field}: is empty, over 4,096 characters, or has spaces"):
            token(given)
