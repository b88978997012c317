from __future__ import annotations

import subprocess
import sys

import slipway.client

_HEAVY = (
    "numpy",
    "pandas",
    "sqlalchemy",
    "pydantic",
    "opentelemetry.sdk",
    "slipway.gen.inference",
    "onnxruntime",
    "ray",
)


def modules_after(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_clients_are_light_to_import() -> None:
    loaded = modules_after("from slipway.client import AsyncSlipway, Slipway\nSlipway().close()")
    assert "slipway.client._async.slipway" in loaded
    assert not loaded & set(_HEAVY)


def test_values_alone_need_no_grpc() -> None:
    loaded = modules_after("from slipway.client import Route, SlipwayError, FeatureView, Run, Prediction")
    assert not {name for name in loaded if name.partition(".")[0] in {"grpc", "google", "opentelemetry"}} - {"google"}


def test_every_name_is_there() -> None:
    assert all(hasattr(slipway.client, name) for name in slipway.client.__all__)
    assert set(slipway.client.__all__) == set(slipway.client._HOME)
