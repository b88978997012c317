"""Rows that a version scores for an explanation: on nobody's log, and after all that are for an answer."""

from __future__ import annotations

import asyncio

from services.inference_gateway.domain.outputs import Outputs
from services.inference_gateway.domain.signature import Tensors


class Probe:
    """Some rows, ``inputs`` [rows, …] as the model takes them, and who waits for what it says of them.

    ``deadline`` is when nobody waits any more, in monotonic seconds; None: somebody waits for ever.
    """

    entries = 1
    """Of a queue's bounds."""

    __slots__ = ("bytes", "deadline", "inputs", "outputs", "priority", "rows", "tenant")

    def __init__(
        self, inputs: Tensors, rows: int, *, tenant: str = "", priority: int = 0, deadline: float | None = None
    ) -> None:
        self.inputs = inputs
        self.rows = rows
        self.tenant = tenant
        self.priority = priority
        self.deadline = deadline
        self.bytes = sum([array.nbytes for array in inputs.values()])
        self.outputs: asyncio.Future[Outputs] = asyncio.get_running_loop().create_future()

    @property
    def gone(self) -> bool:
        """Whether nobody waits for it."""
        return self.outputs.done()

    def complete(self, outputs: Outputs) -> None:
        """Tell whoever waits."""
        if not self.outputs.done():
            self.outputs.set_result(outputs)

    def fail(self, error: BaseException) -> None:
        """Tell whoever waits that there is nothing."""
        if not self.outputs.done():
            self.outputs.set_exception(error)
