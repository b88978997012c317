from __future__ import annotations

from typing import Any

import pytest

from services.inference_gateway.config import GatewayConfig
from slipway.config import ConfigError, checkout_root, load


def test_the_deployed_file_says_the_defaults() -> None:
    root = checkout_root()
    assert root is not None
    deployed = load(GatewayConfig, root / "deploy" / "config" / "inference_gateway.toml", environ={})
    assert deployed == load(GatewayConfig, environ={})


def test_the_feature_service_is_where_the_supervisor_says() -> None:
    given = {"SLIPWAY_FEATURE_SERVING_ADDRESS": "127.0.0.1:7"}
    assert load(GatewayConfig, environ=given).features_address == "127.0.0.1:7"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("feature_timeout_s", 0),
        ("shadow_queue_limit", 0),
        ("guardrail.batches", 0),
        ("guardrail.error_share", 0),
        ("guardrail.error_share", 1),
        ("guardrail.load_attempts", 0),
    ],
)
def test_a_value_out_of_range_is_refused(key: str, value: Any) -> None:
    outer, _, inner = key.partition(".")
    with pytest.raises(ConfigError, match=f"{outer}.*: "):
        load(GatewayConfig, flags={outer: {inner: value} if inner else value}, environ={})
