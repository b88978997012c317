"""Every listener of every service that has a configuration refuses a wide bind."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from slipway.config import ConfigError, checkout_root, load


def _configurations() -> list[type[BaseModel]]:
    root = checkout_root() or Path()
    found = []
    for file in sorted(root.glob("services/*/config.py")):
        module = importlib.import_module(f"services.{file.parent.name}.config")
        found += [
            kind
            for name, kind in vars(module).items()
            if name.endswith("Config") and isinstance(kind, type) and kind.__module__ == module.__name__
        ]
    return found


def _listeners(kind: type[BaseModel], path: str = "") -> list[str]:
    found: list[str] = []
    for name, field in kind.model_fields.items():
        section: Any = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found += _listeners(section, f"{path}{name}.")
        elif name.endswith("listen"):
            found.append(path + name)
    return found


_LISTENING = [kind for kind in _configurations() if _listeners(kind)]


def test_the_services_are_found() -> None:
    assert "RegistryConfig" in [kind.__name__ for kind in _LISTENING]


@pytest.mark.parametrize("kind", _LISTENING, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("address", ["0.0.0.0:1", "[::]:1", ":1"])
def test_no_listener_takes_a_wide_address(kind: type[BaseModel], address: str) -> None:
    for listener in _listeners(kind):
        with pytest.raises(ConfigError) as caught:
            load(kind, environ={}, flags={listener: address})
        assert listener in {one.field for one in caught.value.violations}
