"""Streaming the desired state: everything first, then whatever changed since."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from services.registry.domain.endpoint import DesiredState, Endpoint
from services.registry.domain.model import ModelVersion
from services.registry.ports import Catalogue, Reader

# Another registry process on the same database wakes nobody here; this bounds how late its changes are seen.
_LOOK_AGAIN_S = 2.0


class Watch:
    """Lets any number of watchers follow the catalogue without a queue each.

    A watcher remembers the revision it has seen and reads what is newer, so a slow one gets fewer, larger steps
    and costs no memory.
    """

    def __init__(self, catalogue: Catalogue, look_again_s: float = _LOOK_AGAIN_S) -> None:
        self._catalogue = catalogue
        self._look_again_s = look_again_s
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Tell every watcher to look; call it after a commit."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def follow(self) -> AsyncGenerator[DesiredState, None]:
        """Everything, then each change, for as long as the caller iterates."""
        seen = 0
        snapshot = True
        while True:
            changed = self._changed
            state = await self._since(seen, snapshot=snapshot)
            if snapshot or state.revision > seen:
                yield state
                seen, snapshot = state.revision, False
                continue
            try:
                async with asyncio.timeout(self._look_again_s):
                    await changed.wait()
            except TimeoutError:
                continue

    async def _since(self, revision: int, *, snapshot: bool) -> DesiredState:
        async with self._catalogue.read() as catalogue:
            current = await catalogue.revision()
            if current == revision and not snapshot:
                return DesiredState(current, snapshot=False, endpoints=(), deleted=(), versions=())
            endpoints, deleted = await catalogue.endpoints_since(revision)
            versions = await _versions(catalogue, endpoints)
        return DesiredState(current, snapshot, endpoints, () if snapshot else deleted, versions)


async def _versions(catalogue: Reader, endpoints: Sequence[Endpoint]) -> list[ModelVersion]:
    wanted = {needed for endpoint in endpoints for needed in endpoint.spec.versions}
    found = [await catalogue.version(model, number) for model, number in sorted(wanted)]
    return [version for version in found if version is not None]
