"""The Ray driver: a process of the scheduler's that alone imports Ray. ``python -m … SOCKET PARENT_PID``.

It ends when its socket closes, when its parent dies, and when the cluster's head goes: the scheduler then starts
another, which finds every attempt that still runs by its name.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import ray
from ray.exceptions import RayActorError

from services.training_scheduler.adapters.ray_frames import HEAD, Kind, frame
from services.training_scheduler.adapters.ray_seats import Seats

_PR_SET_PDEATHSIG = 1
# How long one question to an actor waits: a driver that dies leaves a thread of the actor waiting for so long.
_LOOK_S = 20.0
# How long an actor waits for another attempt: between a step and those that wait for it lie milliseconds.
_SPARE_S = 5.0


class Lost(Exception):
    """The actor came to no end."""


def connect(body: Any) -> None:
    """Join the cluster."""
    ray.init(
        address=body["address"],
        namespace=body["namespace"],
        log_to_driver=False,
        configure_logging=False,
        logging_level=logging.WARNING,
    )
    _seats()
    host, _, port = body["address"].rpartition(":")
    threading.Thread(target=_end_with, args=((host, int(port)),), name="head", daemon=True).start()


def run(body: Any) -> Any:
    """Have the attempt come to its end in an actor, where it sits or sits down now; what came of it. Raises Lost."""
    name = body["name"]
    try:
        actor = _seats().sit(name, body["cpus"], body["order"])
        while (result := ray.get(actor.wait.remote(name, _LOOK_S))) is None:
            pass
    except RayActorError as error:
        raise Lost(_why(error)) from error
    return result


def _why(error: RayActorError) -> str:
    """The line of Ray's message that tells the cause, else its first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return next((line for line in lines if "cause" in line.lower()), lines[0])


def find(body: Any) -> bool:
    """Whether the attempt's actor lives."""
    return _seats().has(body["name"])


def names(_: Any) -> list[str]:
    """The attempts that sit somewhere."""
    return _seats().attempts()


def end(body: Any) -> None:
    """End attempts; the actor of one with which all went ``well`` may serve another."""
    _seats().leave(body["name"], well=body.get("well", False))


@cache
def _seats() -> Seats:
    return Seats(ray.get_runtime_context().namespace, _SPARE_S)


_VERBS: dict[int, Callable[[Any], Any]] = {
    Kind.CONNECT: connect,
    Kind.RUN: run,
    Kind.FIND: find,
    Kind.LIST: names,
    Kind.END: end,
}


class Answers:
    """Meets requests, each on a thread of its own, and sends what came of them."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._turn = threading.Lock()

    def meet(self, kind: int, request: int, body: Any) -> None:
        """Answer one request."""
        try:
            self._send(Kind.DONE, request, _VERBS[kind](body))
        except Lost as lost:
            self._send(Kind.LOST, request, str(lost))
        except Exception as error:
            self._send(Kind.FAILED, request, f"{type(error).__name__}: {error}"[:2000])

    def _send(self, kind: Kind, request: int, body: Any) -> None:
        with self._turn, contextlib.suppress(OSError):
            self._connection.sendall(frame(kind, request, body))


def serve(connection: socket.socket) -> None:
    """Answer frames until the socket closes."""
    answers = Answers(connection)
    with connection.makefile("rb") as stream:
        while len(head := stream.read(HEAD.size)) == HEAD.size:
            length, request, kind = HEAD.unpack(head)
            body = json.loads(stream.read(length))
            if kind == Kind.CONNECT:  # on the main thread, where Ray sets its signals
                answers.meet(kind, request, body)
            else:
                threading.Thread(target=answers.meet, args=(kind, request, body), daemon=True).start()


def _end_with(head: tuple[str, int]) -> None:
    """End this process when nobody listens at the head's address any more.

    A head that came back is another cluster, which this process would wait for in vain. A connection is held rather
    than tried now and then: its end tells at once.
    """
    while True:
        try:
            with socket.create_connection(head, timeout=10) as held:
                held.settimeout(None)
                while held.recv(4096):
                    pass
        except ConnectionResetError:
            continue
        except OSError:
            os._exit(1)


def main() -> None:
    """Take the socket and the parent's process id from the command line and serve."""
    descriptor, parent = (int(one) for one in sys.argv[1:])
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return  # it died before the line above could tell
    # Ctrl-C reaches the whole process group; the scheduler decides when its driver ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connection:
        serve(connection)
    # Without Ray's own farewell, which may wait for a cluster that is gone. Detached actors stay.
    os._exit(0)


if __name__ == "__main__":
    main()
