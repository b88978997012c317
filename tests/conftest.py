"""What tests of several kinds need."""

from __future__ import annotations

import importlib.util
import os
import sys
import uuid
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

from slipway.stack.run import FOLDER, servers
from slipway.supervisor.redis import NotInstalled

# No test asserts a time, an example neither: on a busy machine any may wait for its turn.
settings.register_profile("slipway", deadline=None)
settings.load_profile("slipway")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what a run may ask for."""
    parser.addoption("--without-native-front", action="store_true", help="as where slipway-front is not installed")


def pytest_configure(config: pytest.Config) -> None:
    """Hide the native front from this process, as an installation without it would."""
    if config.getoption("--without-native-front"):
        sys.modules["slipway_front"] = None  # type: ignore[assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what is over soon for the end: there, a worker that has a long file left would run alone."""
    items.sort(key=lambda item: "unit" in item.path.parts)


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


@pytest.fixture(scope="session")
def kafka_servers() -> str:
    """``host:port`` of Kafka's brokers, divided by commas; tests take a :func:`kafka_url`."""
    return _named("SLIPWAY_KAFKA")


@pytest.fixture
def kafka_url(kafka_servers: str) -> str:
    """An event log of the test's own on the shared brokers: its topics and groups have a name of their own there."""
    return f"kafka://{kafka_servers}?prefix={uuid.uuid4().hex[:12]}."


@pytest.fixture(scope="session")
def redis_url() -> str:
    """The address of a Redis; a test takes a database number or a prefix of its own there."""
    return _named("SLIPWAY_REDIS")


def _named(variable: str) -> str:
    if url := os.environ.get(variable):
        return url
    told = f"{variable} names no server: run scripts/test, or scripts/stack up and set what it says"
    if folder := os.environ.get(FOLDER):
        try:
            return servers(Path(folder))[variable]
        except NotInstalled as error:
            told = error.message
    if os.environ.get("CI") == "true":
        pytest.fail(told)
    pytest.skip(told)
