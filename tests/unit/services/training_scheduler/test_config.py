"""The scheduler's configuration: the file beside its defaults, and where steps run."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.training_scheduler.config import TrainingConfig
from slipway.config import ConfigError, load

FILE = Path(__file__).parents[4] / "deploy" / "config" / "training_scheduler.toml"


def test_the_file_holds_every_default() -> None:
    read, default = load(TrainingConfig, FILE, environ={}), load(TrainingConfig, environ={})
    assert read.model_copy(update={"workflow_modules": ()}).model_dump(exclude={"workflow_path"}) == default.model_dump(
        exclude={"workflow_path"}
    )
    assert read.import_folders == default.import_folders


def test_steps_run_on_ray_where_an_address_is_known_unless_told() -> None:
    known = {"SLIPWAY_RAY_ADDRESS": "127.0.0.1:6379"}
    assert not load(TrainingConfig, environ={}).on_ray
    assert load(TrainingConfig, environ=known).on_ray
    assert not load(TrainingConfig, environ=known, flags={"executor": "threads"}).on_ray


@pytest.mark.parametrize(
    ("environ", "executor", "told"),
    [({}, "ray", "SLIPWAY_RAY_ADDRESS"), ({"SLIPWAY_RAY_ADDRESS": "here"}, "auto", "host:port"), ({}, "x", "executor")],
)
def test_a_cluster_that_is_nowhere_is_refused(environ: dict[str, str], executor: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load(TrainingConfig, environ=environ, flags={"executor": executor})
