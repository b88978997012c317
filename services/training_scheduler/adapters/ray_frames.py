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
    RUN = 2  # name, cpus, order: start the attempt's actor, or find it; answered when the step has ended
    FIND = 3  # name: whether the actor lives
    LIST = 4  # the names of all actors of the namespace
    END = 5  # name: end the actor of that name and those whose names go on from it after a dot
    DONE = 6  # the answer
    LOST = 7  # why the actor came to no end
    FAILED = 8  # why the request can't be met


def frame(kind: Kind, request: int, body: Any) -> bytes:
    """One frame."""
    data = json.dumps(body).encode()
    return HEAD.pack(len(data), request, kind) + data


def actor_name(run_id: str, step: str, attempt: int) -> str:
    """The name of an attempt's actor."""
    return f"{run_id}.{step}.{attempt}"


def attempt_of(name: str) -> tuple[str, str, int] | None:
    """The run, step and attempt of an actor; None for one that is not ours."""
    parts = name.split(".")
    if len(parts) != 3 or not parts[2].isdigit():
        return None
    return parts[0], parts[1], int(parts[2])
