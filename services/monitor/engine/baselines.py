"""The baselines of the versions that answer."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from services.monitor.domain.baseline import Baseline
from services.monitor.ports import Reader

log = logging.getLogger(__name__)


class Baselines:
    """Remembers the baselines that were read: none of them ever changes.

    A version's predictions may be here before the registry's word of it, by a moment or by days. That there is none yet
    is not remembered, and told once.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Baseline] = {}
        self._told: set[tuple[str, int]] = set()

    async def of(self, windows: Reader, versions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Baseline]:
        """The baselines of those that have one."""
        wanted = set(versions)
        for one in wanted - self._known.keys():
            if found := await windows.baseline(*one):
                self._known[one] = found
            elif one not in self._told:
                self._told.add(one)
                log.info("features of %s version %d wait for the registry's word of it: it is not judged yet", *one)
        return {one: self._known[one] for one in wanted if one in self._known}
