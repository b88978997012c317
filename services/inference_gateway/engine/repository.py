"""What is loaded of what the registry wants; loading again what is not, and giving back what nobody uses."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass

from services.inference_gateway.domain.desired import VersionKey
from services.inference_gateway.domain.errors import EndpointNotFound, VersionNotServed, VersionTakesTraffic
from services.inference_gateway.engine.reconcile import Reconciler


class LoadState(enum.Enum):
    """How a version stands, in the words of the Open Inference Protocol's repository extension."""

    READY = "READY"
    LOADING = "LOADING"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Entry:
    """One version under one endpoint; ``reason`` says why it is not ready."""

    endpoint: str
    version: VersionKey
    state: LoadState
    reason: str = ""

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self.state is LoadState.READY


class Repository:
    """Looks at the reconciler and asks it to try again, or to give memory back; what is wanted it never changes."""

    def __init__(self, reconciler: Reconciler) -> None:
        self._reconciler = reconciler

    def index(self) -> list[Entry]:
        """Every version of every endpoint that is desired or still serves, by name and number."""
        return [one for name in sorted(self._reconciler.desired.endpoints) for one in self._of(name)]

    def find(self, endpoint: str = "", version: str = "") -> list[Entry]:
        """The versions of one endpoint, or of all; or the one of them that is named by its number.

        Raises EndpointNotFound, VersionNotServed.
        """
        if not endpoint:
            return [one for one in self.index() if version in {"", str(one.version.number)}]
        if endpoint not in self._reconciler.desired.endpoints:
            raise EndpointNotFound(endpoint)
        every = self._of(endpoint)
        found = [one for one in every if version in {"", str(one.version.number)}]
        if not found:
            raise VersionNotServed(endpoint, version, [one.version.number for one in every])
        return found

    async def load(self, endpoint: str, version: str = "") -> None:
        """Try again, now, what is not loaded; returns when it answers.

        Raises EndpointNotFound, VersionNotServed; NotReady or Quarantined when it fails.
        """
        missing = [one.version for one in self.find(endpoint, version) if not one.ready]
        for done in await asyncio.gather(*map(self._reconciler.reload, missing), return_exceptions=True):
            if done is not None:
                raise done

    async def unload(self, endpoint: str, version: str = "") -> None:
        """Give back the memory of the version, or of every one that takes no traffic; returns when it is back.

        Raises EndpointNotFound, VersionNotServed, VersionTakesTraffic: nothing, then, was unloaded.
        """
        found = self.find(endpoint, version)
        takers = {one.version: self._reconciler.takers(one.version) for one in found}
        idle = [key for key, endpoints in takers.items() if not endpoints]
        if not idle:
            raise VersionTakesTraffic(
                " and ".join(str(key) for key in takers), sorted({name for names in takers.values() for name in names})
            )
        await asyncio.gather(*map(self._reconciler.unload, idle))

    def _of(self, endpoint: str) -> list[Entry]:
        serving = {arm.route.version for arm in self._reconciler.serving.get(endpoint, ())}
        wanted = self._reconciler.desired.endpoints[endpoint].versions
        return [self._entry(endpoint, key, serves=key in serving) for key in sorted(serving | wanted)]

    def _entry(self, endpoint: str, key: VersionKey, *, serves: bool) -> Entry:
        if reason := self._reconciler.failures.get(key, ""):
            return Entry(endpoint, key, LoadState.UNAVAILABLE, reason)
        if serves:
            return Entry(endpoint, key, LoadState.READY)
        return Entry(endpoint, key, LoadState.LOADING, f"{key} is loading")
