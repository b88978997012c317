"""The frames between the scheduler and its Ray driver, over a Unix socket pair.

A frame is its body's length, the id of the request it belongs to, its kind, and the body: JSON.
"""

from __future__ import annotations

import enum
import json
import struct
from typing import Any

HEAD = struct.Struct("<IQB")


class Kind(enum.IntEnum):
    """What a frame is. The first five go to the driver, the others come from it."""

    CONNECT = 1  # address, namespace
    RUN = 2  # name, cpus, order: start the attempt in an actor, or find it there; answered when the step has ended
    FIND = 3  # name: whether the attempt's actor lives
    LIST = 4  # the names of all attempts of the namespace
    END = 5  # name, well: end the attempt and those whose names go on from it after a dot; well: keep the process
    DONE = 6  # the answer
    LOST = 7  # why the actor came to no end
    FAILED = 8  # why the request can't be met


def frame(kind: Kind, request: int, body: Any) -> bytes:
    """One frame."""
    data = json.dumps(body).encode()
    return HEAD.pack(len(data), request, kind) + data


def attempt_name(run_id: str, step: str, attempt: int) -> str:
    """By what the cluster knows an attempt."""
    return f"{run_id}.{step}.{attempt}"


def attempt_of(name: str) -> tuple[str, str, int] | None:
    """The run, step and number of an attempt; None for a name that is none."""
    parts = name.split(".")
    if len(parts) != 3 or not parts[2].isdigit():
        return None
    return parts[0], parts[1], int(parts[2])
