from __future__ import annotations

from pathlib import Path

import pytest

from services.feature_serving.config import FeatureServingConfig
from slipway.config import ConfigError, checkout_root, load


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "redis://[::1]", "rediss://r:1/15", "unix:///run/r.sock"])
def test_a_redis_address_is_taken_from_the_environment(url: str) -> None:
    assert load(FeatureServingConfig, environ={"SLIPWAY_REDIS": url}).redis_url == url


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("127.0.0.1:6379", "write redis://"),
        ("http://127.0.0.1:6379", "write redis://"),
        ("redis://", "write redis://"),
        ("redis://h:port", "write redis://"),
        ("redis://h/zero", "no database number"),
        ("redis://:secret@h", "redis_password_file"),
    ],
)
def test_any_other_address_is_refused_without_repeating_it(url: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"redis_url: .*{told}") as raised:
        load(FeatureServingConfig, environ={"SLIPWAY_REDIS": url})
    assert "secret" not in str(raised.value)


def test_the_password_comes_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("swordfish\n")
    config = load(FeatureServingConfig, environ={"SLIPWAY_REDIS_PASSWORD_FILE": str(file)})
    assert config.redis_password() == "swordfish"
    assert load(FeatureServingConfig, environ={}).redis_password() is None
    file.unlink()
    with pytest.raises(ConfigError, match="redis_password_file: can't read"):
        config.redis_password()


def test_the_deployed_file_says_the_defaults() -> None:
    root = checkout_root()
    assert root is not None
    deployed = load(FeatureServingConfig, root / "deploy" / "config" / "feature_serving.toml", environ={})
    assert deployed == load(FeatureServingConfig, environ={})
