"""Attempts of steps, in a process of Ray's that has one at a time.

What came of an attempt is kept until its actor is ended or told to forget it, whoever asks meanwhile: the scheduler
that wanted it may die and come back. Inputs and output go through the artifact store, which is a folder here: Ray's
workers must be on this machine, or see the same folders.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.training_scheduler.adapters.attempt import perform
from services.training_scheduler.adapters.log_files import StepLines
from services.training_scheduler.domain.errors import StepFailed

if TYPE_CHECKING:
    from slipway.client import Slipway

# Ray sets the first for its workers to the CPUs that an actor holds.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Seat:
    """The actor: attempts sit in it one after another, each on a thread of its own."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._held: tuple[str, _Attempt] | None = None

    def take(self, attempt: str, order: Mapping[str, Any]) -> None:
        """Begin the attempt; once only, however often it is told.

        ``order`` is what :func:`services.training_scheduler.adapters.ray_steps.order_of` makes.
        """
        with self._turn:
            if self._held is None:
                self._held = attempt, _Attempt(order)

    def wait(self, attempt: str, seconds: float) -> dict[str, Any] | None:
        """What came of it: ``digest`` and ``summary``, or ``error``; None when it goes on for longer."""
        held = self._held
        if held is None or held[0] != attempt:
            return {"error": "its process has another attempt"}
        return held[1].wait(seconds)

    def leave(self, attempt: str) -> bool:
        """Forget the attempt, which has ended; whether another may come."""
        with self._turn:
            if self._held is None or self._held[0] != attempt or self._held[1].wait(0) is None:
                return False
            self._held = None
        gc.collect()
        return True


class _Attempt:
    """One attempt, which begins when it is made."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self._order = order
        self._ended = threading.Event()
        self._result: dict[str, Any] = {}
        threading.Thread(target=self._work, name="step", daemon=True).start()

    def wait(self, seconds: float) -> dict[str, Any] | None:
        """See Seat."""
        return self._result if self._ended.wait(seconds) else None

    def _work(self) -> None:
        try:
            self._prepare()
            self._result = self._outcome()
        except StepFailed as failed:
            self._result = {"error": failed.text}
        except BaseException as error:
            logging.getLogger(__name__).exception("the step can't be run")
            self._result = {"error": f"{type(error).__name__}: {error}"}
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            self._ended.set()

    def _prepare(self) -> None:
        order = self._order
        _write_to(Path(order["log"]))
        for name in _THREAD_VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(order["environment"])
        os.chdir(order["folder"])

    def _outcome(self) -> dict[str, Any]:
        # Here, when environment and import path are set: modules read them as they are imported.
        from services.training_scheduler.adapters.library import load  # noqa: PLC0415
        from slipway.artifacts import FileArtifacts  # noqa: PLC0415

        order = self._order
        workflow = load([order["module"]], [Path(one) for one in order["import_folders"]]).workflow(order["workflow"])
        if workflow.code_digest != order["code_digest"]:
            raise StepFailed("the workflow's code changed on disk; restart the scheduler and submit the run again")
        store = FileArtifacts(Path(order["artifacts"]))
        inputs = {name: asyncio.run(store.read(digest)) for name, digest in order["inputs"].items()}
        with _Client() as client:
            data, summary = perform(
                workflow,
                run_id=order["run_id"],
                step=order["step"],
                attempt=order["attempt"],
                params=order["params"],
                inputs=inputs,
                connect=client.get,
            )
        stored = asyncio.run(store.put(_once(data), limit_bytes=order["max_output_bytes"]))
        return {"digest": stored.digest, "summary": dict(summary)}


class _Client:
    """The platform's client, made when the step asks."""

    def __init__(self) -> None:
        self._made: Slipway | None = None

    def __enter__(self) -> _Client:
        return self

    def __exit__(self, *_: object) -> None:
        if self._made is not None:
            self._made.close()

    def get(self) -> Slipway:
        if self._made is None:
            from slipway.client import Slipway  # noqa: PLC0415  (gRPC, only for steps that ask)

            self._made = Slipway()
        return self._made


def _write_to(path: Path) -> None:
    """Send all that this process prints and logs to the end of a file, native code included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        stream.flush()
        os.dup2(descriptor, number)
    os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(StepLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
