"""What waits for one loaded version: bounded, and fair to tenants by rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from math import inf
from typing import Generic, NoReturn, Protocol, TypeVar

from services.inference_gateway.domain.errors import QueueFull
from services.inference_gateway.domain.tenant_lane import TenantLane


class Waiting(Protocol):
    """What a queue needs to know of an item; ``deadline`` is for whoever tells :meth:`FairQueue.take` what is gone."""

    @property
    def tenant(self) -> str:
        """Who pays for it."""
        ...

    @property
    def priority(self) -> int:
        """1 first, then 2 and so on, among the tenant's own; 0 stands for 65,536."""
        ...

    @property
    def entries(self) -> int:
        """How many items of the bounds it is, at least 1, all alike."""
        ...

    @property
    def rows(self) -> int:
        """What it costs to answer, at least 1."""
        ...

    @property
    def bytes(self) -> int:
        """What it costs to keep."""
        ...

    @property
    def deadline(self) -> float | None:
        """Monotonic seconds after which nobody wants the answer."""
        ...


T = TypeVar("T", bound=Waiting)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait at once."""

    items: int
    rows: int
    bytes: int


class FairQueue(Generic[T]):
    """A bounded queue from which tenants are served by turns, each by its weight in rows.

    Order: of the tenants that wait, the one that was given the fewest rows for its weight comes first (start-time
    fair queueing: deficit round robin with a single item as the quantum). So shares of rows converge to the weights,
    and a tenant that was given nothing of late waits behind at most one item of each other. A tenant that was idle
    has saved nothing up. Within a tenant the lower priority number comes first, and first in, first out among equals.

    Bounds: more than ``bounds`` never waits, except that an empty queue takes any one request. Where tenants share the
    queue, each is held to as much as is still free, times its weight over the mean: one that floods leaves about half
    of the bounds to whoever comes next, and that one half of the rest. A tenant of which nothing waits is refused by
    the bounds alone. What was accepted is never pushed out. A tenant that is the only one known may fill the queue.

    ``weights`` are by tenant; one that is not named has weight 1. ``name`` is the version's, for refusals.
    Push and take cost O(1) an item for one tenant and one priority, else the logarithm of how many there are.
    """

    def __init__(self, name: str, bounds: Bounds, weights: Mapping[str, float] | None = None) -> None:
        self._name = name
        self._bounds = bounds
        self._weights = dict(weights or {})
        self._mean = sum(self._weights.values()) / len(self._weights) if self._weights else 1.0
        self._shared = len(self._weights) > 1
        self._lanes: dict[str, TenantLane[T]] = {}
        # (virtual time at which the lane's next item starts, turn, lane), of lanes that hold something
        self._turns: list[tuple[float, int, TenantLane[T]]] = []
        self._turn = 0
        self._now = self._latest = 0.0  # virtual times: of what was taken last, and up to which anything was taken
        self._items = self._rows = self._bytes = 0

    def __len__(self) -> int:
        return self._items

    @property
    def rows(self) -> int:
        """The rows that wait."""
        return self._rows

    @property
    def bytes(self) -> int:
        """The bytes that wait."""
        return self._bytes

    def waiting(self, tenant: str) -> int:
        """How many of a tenant's items wait."""
        lane = self._lanes.get(tenant)
        return lane.items if lane else 0

    def push(self, item: T) -> None:
        """Let it wait. Raises QueueFull, and then nothing has changed."""
        lane = self._lanes.get(item.tenant) or self._open(item.tenant)
        bounds, entries, rows, size = self._bounds, item.entries, item.rows, item.bytes
        items_left = bounds.items - self._items
        rows_left = bounds.rows - self._rows
        bytes_left = bounds.bytes - self._bytes
        if (self._items or entries > 1) and (items_left < entries or rows_left < rows or bytes_left < size):
            self._refuse("items" if items_left < entries else "rows" if rows_left < rows else "bytes")
        if (lane.items or entries > 1) and (self._shared or lane.items != self._items):
            share, others = lane.share, entries - 1  # which are there when the last of them comes
            if lane.items + entries > (items_left - others) * share:
                self._refuse("items", lane.tenant)
            if lane.rows + rows > (rows_left - rows * others // entries) * share:
                self._refuse("rows", lane.tenant)
            if lane.bytes + size > (bytes_left - size * others // entries) * share:
                self._refuse("bytes", lane.tenant)
        if not lane.items:
            if not self._items:
                self._now = self._latest  # nobody owes anything to a queue that was empty
            lane.starts = max(lane.starts, self._now)
            self._turn += 1
            heappush(self._turns, (lane.starts, self._turn, lane))
        lane.push(item)
        lane.items += entries
        lane.rows += rows
        lane.bytes += size
        self._items += entries
        self._rows += rows
        self._bytes += size

    def pass_by(self, item: T) -> bool:
        """Let an item through a queue in which nothing waits, as if it were pushed and taken; False: something does."""
        if self._items:
            return False
        lane = self._lanes.get(item.tenant) or self._open(item.tenant)
        self._now = max(lane.starts, self._latest)
        lane.starts = self._latest = self._now + item.rows * lane.row_cost
        return True

    def take(self, max_rows: int, gone: Callable[[T], bool] | None = None) -> list[T]:
        """The next items, out of the queue: as many as have ``max_rows`` together, but one at least while any waits.

        Those that are ``gone`` (cancelled, past their deadline) leave the queue too, unreturned and at nobody's cost.
        """
        taken: list[T] = []
        room = max_rows
        while self._turns:
            lane = self._turns[0][2]
            spent, fits = self._serve(lane, room, taken, gone)
            room -= spent
            if not lane.items:
                heappop(self._turns)
            elif spent:
                self._turn += 1
                heapreplace(self._turns, (lane.starts, self._turn, lane))
            if not fits:
                break
        return taken

    def drop(self, predicate: Callable[[T], bool]) -> list[T]:
        """Take out all items for which ``predicate`` holds, tenant by tenant, in order; it is asked about every one."""
        dropped: list[T] = []
        for lane in self._lanes.values():
            out = lane.drop(predicate)
            self._release(
                lane,
                sum(item.entries for item in out),
                sum(item.rows for item in out),
                sum(item.bytes for item in out),
            )
            dropped += out
        self._turns = [turn for turn in self._turns if turn[2].items]
        heapify(self._turns)
        return dropped

    def _serve(
        self, lane: TenantLane[T], room: int, taken: list[T], gone: Callable[[T], bool] | None
    ) -> tuple[int, bool]:
        """Take from one lane until another's turn comes. The rows taken, and False when the next item does not fit."""
        others = len(self._turns) - 1
        until = min(self._turns[1][0], self._turns[2 if others > 1 else 1][0]) if others else inf
        items = spent = lost = size = 0
        starts, row_cost, fits = lane.starts, lane.row_cost, True
        level = lane.first()
        while items < lane.items:
            item = level[0]
            if gone is not None and gone(item):
                lost += item.rows
            elif spent and starts >= until:
                break
            elif spent + item.rows > room and taken:
                fits = False
                break
            else:
                taken.append(item)
                spent += item.rows
                self._now = starts
                starts += item.rows * row_cost
            level.popleft()
            if not level:
                lane.emptied()
                level = lane.first()
            items += item.entries
            size += item.bytes
        lane.starts = starts
        self._latest = max(self._latest, starts)
        self._release(lane, items, spent + lost, size)
        return spent, fits

    def _release(self, lane: TenantLane[T], items: int, rows: int, size: int) -> None:
        lane.items -= items
        lane.rows -= rows
        lane.bytes -= size
        self._items -= items
        self._rows -= rows
        self._bytes -= size

    def _open(self, tenant: str) -> TenantLane[T]:
        weight = self._weights.get(tenant, 1.0)
        lane = self._lanes[tenant] = TenantLane(tenant, weight, weight / self._mean)
        return lane

    def _refuse(self, bound: str, tenant: str = "") -> NoReturn:
        raise QueueFull(self._name, getattr(self._bounds, bound), bound, tenant)
