from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from services.registry.config import RegistryConfig
from slipway.config import checkout_root, load

FILE = (checkout_root() or Path()) / "deploy" / "config" / "registry.toml"
# Their defaults depend on the machine, or stand for absence, which TOML can't say.
COMMENTED = {"data", "observe.otlp_endpoint"}


def keys(kind: type[BaseModel], path: str = "") -> Iterator[str]:
    for name, field in kind.model_fields.items():
        section: Any = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from keys(section, f"{path}{name}.")
        else:
            yield path + name


def test_the_documented_file_is_the_defaults() -> None:
    assert load(RegistryConfig, FILE, environ={}) == load(RegistryConfig, environ={})


def test_every_key_is_documented() -> None:
    text = FILE.read_text()
    tree = tomllib.loads(text)
    given = {key for key in tree if not isinstance(tree[key], dict)}
    given |= {f"{section}.{key}" for section, body in tree.items() if isinstance(body, dict) for key in body}
    assert given == set(keys(RegistryConfig)) - COMMENTED
    for key in COMMENTED:
        assert f"# {key.rpartition('.')[2]} = " in text


def test_places_follow_the_data_folder_unless_they_are_given(tmp_path: Path) -> None:
    config = load(RegistryConfig, environ={"SLIPWAY_DATA": str(tmp_path)})
    assert config.database == f"sqlite:///{tmp_path}/registry/registry.db"
    assert config.events == f"sqlite:///{tmp_path}/events/log.db"
    assert config.artifacts == tmp_path / "registry" / "artifacts"
    given = load(
        RegistryConfig, environ={"SLIPWAY_REGISTRY_DATABASE": "sqlite:////x.db", "SLIPWAY_EVENTS": "sqlite:////e.db"}
    )
    assert (given.database, given.events) == ("sqlite:////x.db", "sqlite:////e.db")
