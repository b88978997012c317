from __future__ import annotations

import pytest

from services.monitor.config import MonitorConfig
from slipway.config import ConfigError, checkout_root, load


def test_the_deployed_file_says_the_defaults() -> None:
    root = checkout_root()
    assert root is not None
    deployed = load(MonitorConfig, root / "deploy" / "config" / "monitor.toml", environ={})
    assert deployed == load(MonitorConfig, environ={})


@pytest.mark.parametrize(
    ("key", "value"),
    [("window_s", 0), ("window_s", 32 * 86_400), ("inbox_days", 0), ("join_days", 0), ("performance_window_s", 59)],
)
def test_a_value_out_of_range_is_refused(key: str, value: int) -> None:
    with pytest.raises(ConfigError, match=f"{key}: "):
        load(MonitorConfig, flags={key: value}, environ={})
