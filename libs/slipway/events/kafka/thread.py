"""The driver's blocking calls on a thread of their own, so that none holds up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

from confluent_kafka import KafkaException

from slipway.events.kafka.failure import translate

P = ParamSpec("P")
T = TypeVar("T")


class KafkaThread:
    """Runs functions one after another; made by :meth:`open`."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor
        self._last: Callable[[], None] = _nothing

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[KafkaThread]:
        """A thread that ends with what :meth:`run_last` names."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="kafka")
        thread = cls(executor)
        try:
            yield thread
        finally:
            # A cancellation must not leave a member in its group.
            await asyncio.shield(asyncio.get_running_loop().run_in_executor(executor, thread._last))
            executor.shutdown(wait=False)

    def begin(self, action: Callable[[], object]) -> None:
        """Have ``action`` called on the thread; nobody waits for it, so it must not fail."""
        self._executor.submit(action)

    def run_last(self, close: Callable[[], None]) -> None:
        """Have ``close`` called on the thread when it ends."""
        self._last = close

    async def run(self, action: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``action(...)`` on the thread; the driver's errors become ours.

        Once begun it is finished, even when the caller is cancelled meanwhile.
        """

        def call() -> T:
            try:
                return action(*args, **kwargs)
            except KafkaException as error:
                raise translate(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


def _nothing() -> None:
    return
