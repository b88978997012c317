"""Room in memory: what a version needs, and which others make place for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from services.inference_gateway.domain.desired import VersionKey, VersionSpec
from services.inference_gateway.domain.worker_errors import NoRoom
from services.inference_gateway.engine.runner import Runner
from services.inference_gateway.ports import Models

_PROCESS_BYTES = 48 * 2**20  # Python, numpy and ONNX Runtime
_FACTOR = 3  # of an artifact: its bytes, what they are read into, and what ONNX Runtime makes of them


class Stowage:
    """Keeps the workers of all versions within ``budget_bytes`` of memory; 0 lets them have what there is.

    A version needs what it took the last time, or what its artifact lets expect.
    """

    def __init__(self, models: Models, budget_bytes: int) -> None:
        self._models = models
        self._budget = budget_bytes
        self._took: dict[VersionKey, int] = {}
        self._reserved: dict[VersionKey, int] = {}
        self._one_at_a_time = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def room(
        self,
        spec: VersionSpec,
        workers: int,
        loaded: Mapping[VersionKey, Runner],
        idle: Callable[[], Sequence[Runner]],
        evict: Callable[[VersionKey], Awaitable[None]],
    ) -> AsyncIterator[None]:
        """Room for a version that loads meanwhile; what is ``idle`` is evicted for it, the longest unused first.

        Raises NoRoom.
        """
        if not self._budget:
            yield
            return
        async with self._one_at_a_time:
            need = await self._need(spec, workers)
            while (free := self._budget - self._used(loaded)) < need:
                unused = sorted(idle(), key=lambda one: one.used_at)
                if need > self._budget or not unused:
                    raise NoRoom(str(spec.key), need, max(0, free), self._budget)
                await evict(unused[0].spec.key)
            self._reserved[spec.key] = need
        try:
            yield
        finally:
            del self._reserved[spec.key]

    async def _need(self, spec: VersionSpec, workers: int) -> int:
        if took := self._took.get(spec.key):
            return took
        artifact = len(await self._models.fetch(spec))
        return workers * (_PROCESS_BYTES + _FACTOR * artifact)

    def _used(self, loaded: Mapping[VersionKey, Runner]) -> int:
        now = {key: runner.memory_bytes for key, runner in loaded.items()}
        self._took |= {key: size for key, size in now.items() if size}
        return sum((now | self._reserved).values())
