"""How a spool refuses."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from slipway.errors import Exhausted, FieldViolation, InvalidInput, Kind, SlipwayError, Unavailable

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpoolFull(Exhausted):
    """The frames that wait, or the disk, leave no room; nothing of the batch was kept."""

    reason = "SPOOL_FULL"

    def __init__(self, pending_bytes: int, limit_bytes: int, *, cause: str) -> None:
        """``cause`` is "limit" (``limit_bytes`` of unacknowledged frames wait) or "disk"."""
        why = "its disk has no room" if cause == "disk" else f"the limit is {limit_bytes}"
        super().__init__(
            f"the spool is full: {pending_bytes} bytes wait to be shipped and {why}; try again later",
            facts={"cause": cause, "pending_bytes": str(pending_bytes), "limit_bytes": str(limit_bytes)},
            retry_after_s=1.0,
        )


class FrameTooLarge(InvalidInput):
    """A frame that could not fit even an empty spool."""

    reason = "FRAME_TOO_LARGE"

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        text = f"{size_bytes} bytes, over the limit of {limit_bytes}; send less or raise the spool's limit"
        super().__init__(
            f"frame: {text}",
            facts={"size_bytes": str(size_bytes), "limit_bytes": str(limit_bytes)},
            violations=[FieldViolation("frame", text)],
        )


class SpoolLocked(SlipwayError):
    """Another process, or another opening in this one, holds the spool."""

    kind = Kind.FAILED_PRECONDITION
    reason = "SPOOL_LOCKED"

    def __init__(self, root: str, holder: str) -> None:
        super().__init__(
            f"the spool in {root} is held by process {holder}; stop that one or give this one another folder",
            facts={"root": root, "pid": holder},
        )


class MixedSpools(SlipwayError):
    """The folder holds segments of two spools, as after copying one over another."""

    kind = Kind.FAILED_PRECONDITION
    reason = "MIXED_SPOOLS"

    def __init__(self, root: str, stranger: str) -> None:
        super().__init__(
            f"{root} holds segments of two spools; move {stranger} and its kind to a folder of their own",
            facts={"root": root, "segment": stranger},
        )


class SpoolUnavailable(Unavailable):
    """The disk answered with an error; the cause is chained for the log."""

    reason = "SPOOL_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("the spool's disk answers with an error; its service's log says which")


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Tell the disk's errors as :class:`SpoolUnavailable`."""
    try:
        yield
    except OSError as error:
        raise SpoolUnavailable from error
