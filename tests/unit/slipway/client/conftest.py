from __future__ import annotations

import asyncio
import inspect
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from slipway.client import AsyncSlipway, Slipway

_SHELF = Path(__file__).with_name("shelf.py")


class Platform:
    """The platform of ``shelf.py``, running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.address = f"127.0.0.1:{int(process.stdout.readline())}"

    def addresses(self) -> dict[str, str]:
        return dict.fromkeys(("registry", "features", "training", "gateway", "monitor"), self.address)


@contextmanager
def running() -> Iterator[Platform]:
    process = subprocess.Popen([sys.executable, str(_SHELF)], stdout=subprocess.PIPE, text=True)
    try:
        yield Platform(process)
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """One for all tests that leave it as it is; names in requests keep them apart."""
    with running() as started:
        yield started


@pytest.fixture
def own_platform() -> Iterator[Platform]:
    """One for a test that stops it."""
    with running() as started:
        yield started


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address where nothing listens, held so that nothing can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


class Driven:
    """The asynchronous client behind the synchronous one's face, so that one test holds for both."""

    def __init__(self, target: Any, runner: asyncio.Runner) -> None:
        self._target = target
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        if name == "close":
            name = "aclose"
        found = getattr(self._target, name)
        return self._called(found) if callable(found) else Driven(found, self._runner)

    def __enter__(self) -> Driven:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Any]:
        end = object()
        while (item := self._run(lambda: anext(self._target, end))) is not end:
            yield item

    def _called(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = self._run(lambda: function(*args, **kwargs))
            return Driven(answer, self._runner) if isinstance(answer, AsyncIterator) else answer

        return call

    def _run(self, function: Callable[[], Any]) -> Any:
        async def inside() -> Any:
            answer = function()
            return await answer if inspect.isawaitable(answer) else answer

        return self._runner.run(inside())


Connect = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Makes a client of either kind, called alike; closed after the test."""
    made: list[Any] = []
    runner = asyncio.Runner() if request.param == "async" else None

    def client(**options: Any) -> Any:
        if runner is None:
            made.append(Slipway(**options))
        else:
            made.append(Driven(AsyncSlipway(**options), runner))
        return made[-1]

    try:
        yield client
    finally:
        for one in made:
            one.close()
        if runner is not None:
            runner.close()


@pytest.fixture
def client(connect: Connect, platform: Platform) -> Any:
    """A client of either kind of the platform."""
    return connect(**platform.addresses())


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """A word for names, so that tests do not share counters."""
    name: str = request.node.name
    return name
