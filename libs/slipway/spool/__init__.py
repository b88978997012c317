"""A bounded, checksummed, append-only log of opaque frames on one machine's disk.

A frame that :meth:`Spool.append` has returned for survives a kill -9 of its process, and a power cut once it
is synced. It is given back, whole and in order, at least once, until its reader acknowledges it; after that
it is kept for :meth:`Spool.replay` as long as ``retain_bytes`` allows. What waits is bounded: a full spool
refuses (:class:`SpoolFull`) and keeps nothing of the refused batch. A torn tail is cut away on opening; damage
elsewhere is skipped to the next whole frame and counted, never given back as a frame.

Synchronous, for one thread of one process, but for what waits for the disk, which :meth:`Spool.begin_sync` hands to
another: a second process is refused (:class:`SpoolLocked`). The lock
follows a fork, so start child processes by exec.
"""

from slipway.spool.errors import FrameTooLarge, MixedSpools, SpoolFull, SpoolLocked, SpoolUnavailable
from slipway.spool.position import START, Position
from slipway.spool.spool import Spool
from slipway.spool.syncing import Syncing

__all__ = [
    "START",
    "FrameTooLarge",
    "MixedSpools",
    "Position",
    "Spool",
    "SpoolFull",
    "SpoolLocked",
    "SpoolUnavailable",
    "Syncing",
]
