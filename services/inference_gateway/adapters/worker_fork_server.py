"""The process that workers are forked from: it has imported what they all need, and does nothing else.

A worker that is begun from nothing takes a tenth of a second of a core for that, while others answer. What comes with
threads, ONNX Runtime and CUDA, each worker imports itself: of a process with threads, a fork has one alone.

Started by :mod:`services.inference_gateway.adapters.worker_forks` with its parent's process id and the descriptor of
its socket. For each packet of descriptors there it answers with the process id of a new worker, 0 when there can be
none; the worker is a child of its parent, not of itself, so that the one can die without the other.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import traceback

from services.inference_gateway.adapters import worker_main
from services.inference_gateway.adapters.worker_frames import FORKED, MOST_DESCRIPTORS


def main() -> None:
    """Take the parent's process id and the socket from the command line and fork until the socket closes."""
    parent, descriptor = (int(one) for one in sys.argv[1:])
    if not worker_main.ends_with(parent):
        return
    # Ctrl-C reaches the whole process group; the gateway decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Where it is ignored, which is inherited, nobody can be waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    gc.freeze()  # pages that no collection writes to stay shared
    with socket.socket(fileno=descriptor) as line:
        while True:
            data, descriptors, _, _ = socket.recv_fds(line, 1, MOST_DESCRIPTORS)
            if not data:
                return
            try:
                pid = _fork(parent, line, descriptors)
            except OSError:
                pid = 0
            for one in descriptors:
                os.close(one)
            line.send(FORKED.pack(pid))


def _fork(parent: int, line: socket.socket, descriptors: list[int]) -> int:
    """A worker that serves what the descriptors are of. Raises OSError without memory or processes."""
    reading, writing = os.pipe()
    try:
        middle = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        raise
    if not middle:
        # Who ends at once leaves its child to the gateway, which takes in those who are left.
        pid = 0
        try:
            middle, pid = os.getpid(), os.fork()
            if not pid:
                for one in (reading, writing, line.fileno()):
                    os.close(one)
                _work(parent, middle, descriptors)
            os.write(writing, FORKED.pack(pid))
        finally:
            os._exit(0)
    os.close(writing)
    try:
        os.waitpid(middle, 0)
        told = os.read(reading, FORKED.size)
    finally:
        os.close(reading)
    return int(FORKED.unpack(told)[0]) if told else 0


def _work(parent: int, middle: int, descriptors: list[int]) -> None:
    try:
        while os.getppid() == middle:
            os.sched_yield()
        worker_main.work(parent, *descriptors)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
