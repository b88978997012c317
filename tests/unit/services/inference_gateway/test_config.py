from __future__ import annotations

import hashlib
import re
from pathlib import Path
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


def test_a_tenant_has_its_tokens_from_the_file_and_from_a_secret(tmp_path: Path) -> None:
    secret = tmp_path / "tokens"
    secret.write_text("the-new-token-0123456789\nthe-old-token-0123456789\n")
    config = tmp_path / "gateway.toml"
    digest = "ab" * 32
    config.write_text(f"[tenants.search]\ntoken_sha256 = [{digest!r}]\ntoken_file = {str(secret)!r}\n")
    tenant = load(GatewayConfig, config, environ={}).tenants["search"]
    assert tenant.digests[0] == bytes.fromhex("ab" * 32)
    assert tenant.digests[1] == hashlib.sha256(b"the-new-token-0123456789").digest()
    assert len(tenant.digests) == 3
    assert tenant.model_dump(mode="json")["token_sha256"] == ["abababab…"]


@pytest.mark.parametrize(
    ("tenants", "told"),
    [
        ({"a": {}}, "tenants.a: has no token; give token_sha256, or a token_file"),
        ({"a": {"token_sha256": ["AB"]}}, "tenants.a.token_sha256.0: "),
        ({"a": {"token_file": "/nowhere/tokens"}}, "tenants.a: token_file /nowhere/tokens can't be read: No such file"),
        ({"a": {"token_sha256": ["0" * 64], "burst_rows": 1}}, "tenants.a: has burst_rows without rows_per_s"),
        ({"a": {"token_sha256": ["0" * 64], "weight": 0}}, "tenants.a.weight: "),
        ({"A b": {"token_sha256": ["0" * 64]}}, "tenants: 'A b' is no tenant's name: "),
        ({"a": {"token_sha256": ["0" * 64]}, "b": {"token_sha256": ["0" * 64]}}, "tenants: a and b have a token in"),
    ],
)
def test_a_tenant_that_can_not_be_is_refused_by_name(tenants: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        load(GatewayConfig, flags={"tenants": tenants}, environ={})
