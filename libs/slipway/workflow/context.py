"""What a running step may ask and say."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from slipway.errors import Kind, SlipwayError

if TYPE_CHECKING:
    from slipway.client import Slipway

Connect = Callable[[], "Slipway"]
_log = logging.getLogger(__name__)


class RunCancelled(SlipwayError):
    """Nobody waits for this step any more; raised at its own checkpoint."""

    kind = Kind.CANCELLED
    reason = "RUN_CANCELLED"


class StepContext:
    """One attempt of a step, as the step sees it.

    ``workflow`` and ``step`` are names, ``attempt`` counts from 1, ``code_digest`` names the workflow's source.
    ``request_id`` is ``<run>.<step>``, the same on every attempt: pass it on wherever an effect takes a key.
    """

    def __init__(
        self,
        *,
        workflow: str,
        run_id: str,
        step: str,
        attempt: int,
        code_digest: str,
        connect: Connect,
        cancel: threading.Event | None = None,
    ) -> None:
        self.workflow = workflow
        self.run_id = run_id
        self.step = step
        self.attempt = attempt
        self.code_digest = code_digest
        self._connect = connect
        self._cancel = cancel or threading.Event()

    def of_step(self, step: str) -> StepContext:
        """The same run, seen from another step."""
        return StepContext(
            workflow=self.workflow,
            run_id=self.run_id,
            step=step,
            attempt=self.attempt,
            code_digest=self.code_digest,
            connect=self._connect,
            cancel=self._cancel,
        )

    @property
    def request_id(self) -> str:
        """The idempotency key of this step's effects."""
        return f"{self.run_id}.{self.step}"

    @property
    def slipway(self) -> Slipway:
        """The platform's client, for effects such as registering a version. It is not the step's to close."""
        return self._connect()

    def log(self, message: str, **facts: Any) -> None:
        """Write a line to the log, under this run and step."""
        where = {"workflow": self.workflow, "run_id": self.run_id, "step": self.step, "attempt": self.attempt}
        _log.info(message, extra={**where, "facts": facts})

    def cancelled(self) -> bool:
        """Whether the run was cancelled or the scheduler stops: what this attempt makes will not be kept."""
        return self._cancel.is_set()

    def checkpoint(self) -> None:
        """Raise RunCancelled if so; call it where a long step may end early."""
        if self.cancelled():
            raise RunCancelled(f"step {self.step!r} ended early: its run was cancelled or its scheduler stops")
