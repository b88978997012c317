"""One tenant's place in a queue: what of it waits, by priority, and when its turn is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Generic, Protocol, TypeVar

DEFAULT_PRIORITY = 1 << 16
"""What priority 0 stands for; 1 is the highest."""


class Ranked(Protocol):
    """What a lane needs to know of an item."""

    @property
    def priority(self) -> int:
        """1 first, then 2 and so on; 0 is :data:`DEFAULT_PRIORITY`."""
        ...


R = TypeVar("R", bound=Ranked)


class TenantLane(Generic[R]):
    """One tenant's items, by priority."""

    __slots__ = ("bytes", "items", "levels", "order", "row_cost", "rows", "share", "starts", "tenant")

    def __init__(self, tenant: str, weight: float, share: float) -> None:
        self.tenant = tenant
        self.row_cost = 1.0 / weight
        self.share = share
        self.starts = 0.0
        self.items = self.rows = self.bytes = 0
        self.levels: dict[int, deque[R]] = {}
        self.order: list[int] = []

    def push(self, item: R) -> None:
        """Let it wait; the counts are left to the caller, here and below."""
        priority = item.priority or DEFAULT_PRIORITY
        level = self.levels.get(priority)
        if level is None:
            if not self.items:
                self.levels.clear()
                self.order.clear()
            level = self.levels[priority] = deque()
            heappush(self.order, priority)
        level.append(item)

    def first(self) -> deque[R]:
        """What comes next and others of its priority; whoever takes the last of them out says so."""
        return self.levels[self.order[0]]

    def emptied(self) -> None:
        """Nothing of the first priority waits any more."""
        if len(self.order) > 1:  # the last one stays, empty: it is what comes next, mostly
            del self.levels[heappop(self.order)]

    def drop(self, predicate: Callable[[R], bool]) -> list[R]:
        """Take out what it holds for, in the lane's order."""
        dropped: list[R] = []
        for priority in sorted(self.levels):
            kept: deque[R] = deque()
            for item in self.levels[priority]:
                (dropped if predicate(item) else kept).append(item)
            self.levels[priority] = kept
        self.levels = {priority: level for priority, level in self.levels.items() if level}
        self.order = sorted(self.levels)
        return dropped
