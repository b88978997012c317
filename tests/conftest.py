"""What tests of several kinds need."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def onnx_models() -> ModuleType:
    """Small ONNX models, each made by a function; see ``tests/onnx_models.py``."""
    spec = importlib.util.spec_from_file_location("onnx_models", Path(__file__).with_name("onnx_models.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """The address of a PostgreSQL and a login that may create databases."""
    return _named("SLIPWAY_POSTGRES")


def _named(variable: str) -> str:
    if url := os.environ.get(variable):
        return url
    told = f"{variable} names no server: run scripts/test, or scripts/stack up and set what it says"
    if os.environ.get("CI") == "true":
        pytest.fail(told)
    pytest.skip(told)
