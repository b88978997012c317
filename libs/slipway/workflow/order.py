"""Putting steps in an order in which they may run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from slipway.workflow.errors import BadWorkflow


class Node(Protocol):
    """A step and the steps it waits for."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of others."""
        ...


N = TypeVar("N", bound=Node)


def in_order(workflow: str, nodes: Sequence[N]) -> list[N]:
    """Each after all it needs, as near to the given order as can be. Raises BadWorkflow telling a cycle."""
    left, done = list(nodes), list[N]()
    while left:
        reached = {one.name for one in done}
        ready = next((one for one in left if reached.issuperset(one.needs)), None)
        if ready is None:
            path = _cycle({one.name: one.needs for one in left})
            raise BadWorkflow(workflow, f"step {path[0]!r}", f"waits for itself: {' <- '.join(path)}; break the cycle")
        left.remove(ready)
        done.append(ready)
    return done


def _cycle(needs: dict[str, tuple[str, ...]]) -> list[str]:
    path = [next(iter(needs))]
    while True:
        following = next(one for one in needs[path[-1]] if one in needs)
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)
